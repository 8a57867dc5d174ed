import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { mintsTokens } from '../../../src/domain/connection.ts';
import type { ProviderErrorCode } from '../../../src/domain/errors.ts';
import type { Provider } from '../../../src/domain/provider.ts';
import { providerEndpoints, providerProfile } from '../../../src/domain/provider-templates.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { mergeTokens, type TokenSet } from '../../../src/domain/token-set.ts';
import type { AuthorizationServer, OAuthClient } from '../../../src/ports/authorization-server.ts';
import { catalogue } from '../../../src/providers/catalogue.ts';
import { clientWith, providerAnswering } from '../oauth/clients.ts';
import { listedAnswers } from './listed-answers.ts';
import type { OwnAnswers, Reply } from './own-answers.ts';
import { provenAnswers } from './proven-answers.ts';

const ownAnswers: Readonly<Record<string, OwnAnswers>> = { ...listedAnswers, ...provenAnswers };

const standard = { access_token: 'at-1', token_type: 'Bearer', expires_in: 1234, refresh_token: 'rt-1', scope: 'a b' };
const { refresh_token: _old, ...withoutRefreshToken } = standard;

let signingKey: JWK;
beforeAll(async () => {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  signingKey = { ...(await exportJWK(privateKey)), alg: 'RS256' };
});

const answersOf = (id: string): OwnAnswers => ownAnswers[id] ?? {};
const named = (providers: readonly Provider[]) => providers.map((provider) => [provider.id, provider] as const);
const refreshing = catalogue.filter(({ flows }) => flows.includes('refresh_token'));

function clientOf(provider: Provider): OAuthClient {
  const values = Object.fromEntries(
    Object.entries(provider.variables).map(([name, { default: usual, example }]) => [name, usual ?? example]),
  );
  const clientAuth = provider.clientAuth.find((method) => method !== 'private_key_jwt') ?? 'none';
  const endpoints = provider.discovers ? {} : providerEndpoints(provider, values);
  const profile = providerProfile(provider, values);
  const [flowType = 'authorization_code'] = provider.flows;
  return clientWith({
    provider: provider.id,
    flowType,
    variables: values,
    clientAuth,
    endpoints,
    profile,
    signingKey,
    scopes: null,
  });
}

/** The provider's answer to the first request of the entry's main flow. */
function first(provider: Provider, server: AuthorizationServer): Promise<TokenSet> {
  const client = clientOf(provider);
  if (mintsTokens(client.config.flowType)) return server.mint(client);
  const parameters = new URLSearchParams({ state: 'st', [provider.requests.codeParam]: 'the-code' });
  const [state, codeVerifier, nonce] = [new Secret('st'), new Secret('v'.repeat(43)), new Secret('n')];
  return server.redeemCode(client, { parameters, state, redirectUri: client.redirectUri, codeVerifier, nonce });
}

function answering([status, body, headers = {}]: Reply): AuthorizationServer {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const all = { 'content-type': 'application/json', ...headers };
  return providerAnswering(() => new Response(text, { status, headers: all })).server;
}

async function expectFailure(
  work: Promise<unknown>,
  code: ProviderErrorCode,
  retryAfterSeconds?: number,
): Promise<void> {
  await expect(work).rejects.toMatchObject({
    name: 'BrokerError',
    code,
    ...(retryAfterSeconds && { retryAfterSeconds }),
  });
}

describe('tokens that are issued', () => {
  test.each(named(catalogue))('by %s are understood', async (id, provider) => {
    const isMinting = !provider.flows.includes('authorization_code');
    const [body, understood, status = 200] = answersOf(id).issued ?? [standard, {}];
    const { tokens, expiresAt, requestedAt, scopes } = await first(provider, answering([status, body]));
    expect({
      access: tokens.accessToken?.reveal(),
      refresh: tokens.refreshToken?.reveal() ?? null,
      lifeSeconds: expiresAt === null ? null : (expiresAt - requestedAt) / 1000,
      scopes,
    }).toEqual({
      access: 'at-1',
      refresh: understood.refresh === undefined && !isMinting ? 'rt-1' : (understood.refresh ?? null),
      lifeSeconds: understood.lifeSeconds === undefined ? 1234 : understood.lifeSeconds,
      scopes: understood.scopes === undefined ? 'a b' : understood.scopes,
    });
    expect(tokens.metadata).toMatchObject(understood.metadata ?? {});
    if (understood.account !== undefined) expect(tokens.account).toBe(understood.account);
    expect(JSON.stringify(tokens.metadata)).not.toMatch(/at-|rt-/);
  });

  test.each(named(refreshing))(
    'by %s at a refresh without a refresh token keep the one that is there',
    async (id, provider) => {
      const before = await first(provider, answering([200, answersOf(id).issued?.[0] ?? standard]));
      const server = answering([200, answersOf(id).refreshed ?? withoutRefreshToken]);
      const refreshed = await server.refresh(clientOf(provider), new Secret('rt-1'));
      expect(refreshed.tokens.refreshToken).toBeNull();
      expect(mergeTokens(before.tokens, refreshed).tokens.refreshToken?.reveal()).toBe('rt-1');
    },
  );
});

describe('a rejection', () => {
  test.each(named(refreshing))('by %s of a refresh token ends the grant', async (id, provider) => {
    const server = answering(answersOf(id).dead ?? [400, { error: 'invalid_grant' }]);
    await expectFailure(server.refresh(clientOf(provider), new Secret('rt-1')), 'needs_reauthorization');
  });

  test.each(named(catalogue))('by %s of the client is one for the administrator', async (id, provider) => {
    const server = answering(answersOf(id).stranger ?? [401, { error: 'invalid_client' }]);
    await expectFailure(first(provider, server), 'provider_rejected_client');
  });
});

describe('a limited rate', () => {
  test.each(named(catalogue))('at %s passes, and is waited for', async (id, provider) => {
    const reply = answersOf(id).limited ?? [429, { error: 'too_many_requests' }, { 'retry-after': '60' }];
    await expectFailure(first(provider, answering(reply)), 'provider_unavailable', 60);
    if (!refreshing.includes(provider)) return;
    await expectFailure(answering(reply).refresh(clientOf(provider), new Secret('rt-1')), 'provider_unavailable', 60);
  });
});

test('every shape belongs to an entry', () => {
  expect(Object.keys(ownAnswers).filter((id) => !catalogue.some((entry) => entry.id === id))).toEqual([]);
});
