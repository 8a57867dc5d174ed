import { decodeJwt, exportJWK, generateKeyPair, type JWK } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import type { ClientAuthMethod, FlowType } from '../../../src/domain/connection.ts';
import type { Provider } from '../../../src/domain/provider.ts';
import { providerEndpoints, providerProfile } from '../../../src/domain/provider-templates.ts';
import { Secret } from '../../../src/domain/secret.ts';
import type { OAuthClient } from '../../../src/ports/authorization-server.ts';
import { catalogue } from '../../../src/providers/catalogue.ts';
import { type Comparable, comparableFacts } from '../../support/facts-of-provider.ts';
import { type ProviderFacts, providerFacts } from '../../support/provider-facts.ts';
import { clientWith, json, providerAnswering, type SentRequest } from '../oauth/clients.ts';
import { deviations } from './deviations.ts';

/** Entries that the facts have under another one's id, and what of that one's facts is not theirs. */
const offshoots: Readonly<Record<string, { readonly of: string; readonly facts: Partial<ProviderFacts> }>> = {
  'slack-user': { of: 'slack', facts: { revoke_url: '' } },
};

const rows: readonly ProviderFacts[] = [
  ...providerFacts,
  ...Object.entries(offshoots).map(([id, { of, facts }]) => {
    const origin = providerFacts.find((row) => row.id === of) as ProviderFacts;
    return { ...origin, ...facts, id };
  }),
];

/** Names that the facts tell in words. */
const ownNames: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  tiktok: { client_id: 'client_key' },
  'slack-user': { scope: 'user_scope' },
};

const redirectUris: Readonly<Record<string, string>> = { ebay: 'Acme-AcmeApp-PRD-abcde' };

interface Case {
  readonly id: string;
  readonly provider: Provider;
  readonly facts: ProviderFacts;
  readonly expected: Comparable;
  readonly values: Readonly<Record<string, string>>;
}

const cases: readonly Case[] = rows.map((facts) => {
  const provider = catalogue.find(({ id }) => id === facts.id) as Provider;
  const { why: _why, ...differing } = deviations[offshoots[facts.id]?.of ?? facts.id] ?? { why: '' };
  return {
    id: facts.id,
    provider,
    facts,
    expected: { ...comparableFacts(facts), ...differing },
    values: Object.fromEntries(
      Object.entries(provider.variables).map(([name, { default: usual, example }]) => [name, usual ?? example]),
    ),
  };
});

const having = (flow: FlowType) =>
  cases.filter(({ provider }) => provider.flows.includes(flow)).map((one) => [one.id, one] as const);

/** A connection with examples for what only an administrator knows. */
function clientOf(
  { provider, values }: Case,
  flowType: FlowType,
  changes: { clientAuth?: ClientAuthMethod; signingKey?: JWK } = {},
): OAuthClient {
  const client = clientWith({
    provider: provider.id,
    flowType,
    variables: values,
    clientId: 'the-client',
    secret: 'the_secret-+/=',
    clientAuth: provider.clientAuth[0] ?? 'none',
    endpoints: providerEndpoints(provider, values),
    profile: providerProfile(provider, values),
    scopes: provider.scopes.isUnused ? null : 'one two',
    scopeSeparator: provider.scopes.separator,
    ...changes,
  });
  return { ...client, redirectUri: client.profile.requests.redirectUri ?? client.redirectUri };
}

/** A template of the facts, with the same examples. */
function filled(template: string, { values, provider }: Case): string {
  return template.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => {
    const value = values[name] ?? '';
    return provider.variables[name]?.choices?.[value] ?? value;
  });
}

const recorded = async (
  act: (server: ReturnType<typeof providerAnswering>['server']) => Promise<unknown>,
): Promise<SentRequest> => {
  const { server, sent } = providerAnswering(() =>
    json({ access_token: 'at', token: 'at', token_type: 'Bearer', expires_in: 60 }),
  );
  await act(server);
  expect(sent).toHaveLength(1);
  return sent[0] as SentRequest;
};

/** What a request says in its body, whatever the format, under registered names. */
function bodyOf({ id, facts }: Case, request: SentRequest): Record<string, string> {
  const isJson = /JSON body/.test(facts.quirk);
  const type = request.headers.get('content-type') ?? '';
  expect(type.split(';')[0]).toBe(isJson ? 'application/json' : 'application/x-www-form-urlencoded');
  const fields: Record<string, string> = isJson ? JSON.parse(request.text) : Object.fromEntries(request.form);
  for (const [registered, own] of Object.entries(ownNames[id] ?? {})) {
    expect(fields).not.toHaveProperty(registered);
    const value = fields[own];
    delete fields[own];
    if (value !== undefined) fields[registered] = value;
  }
  return fields;
}

const separators: Readonly<Record<string, string>> = { space: ' ', comma: ',' };
const scopeExpected = ({ expected }: Case): string | undefined => {
  const separator = separators[expected.scopes];
  return separator === undefined ? undefined : ['one', 'two'].join(separator);
};

/** RFC 6749 section 2.3.1 percent-encodes; those who do not decode get it as it is. */
const encodedBasic = `Basic ${btoa('the%2Dclient:the%5Fsecret%2D%2B%2F%3D')}`;
const ownBasic: Partial<Readonly<Record<ClientAuthMethod, string>>> = {
  client_secret_basic_raw: `Basic ${btoa('the-client:the_secret-+/=')}`,
  client_secret_basic_as_user: `Basic ${btoa('the_secret-+/=:')}`,
};

function expectClient(
  { provider }: Case,
  request: SentRequest,
  body: Record<string, string>,
  method: ClientAuthMethod,
): void {
  const authorization = request.headers.get('authorization');
  const isBasic = method.startsWith('client_secret_basic');
  expect(authorization, provider.id).toBe(isBasic ? (ownBasic[method] ?? encodedBasic) : null);
  expect(body.client_secret, provider.id).toBe(method === 'client_secret_post' ? 'the_secret-+/=' : undefined);
  if (!isBasic) expect(body.client_id, provider.id).toBe('the-client');
}

const verifier = new Secret('v'.repeat(43));
const nonce = new Secret('n');

const redemption = ({ provider }: Case, { redirectUri }: OAuthClient) => {
  const own = new URLSearchParams({ state: 'st', [provider.requests.codeParam]: 'the-code' });
  return { parameters: own, state: new Secret('st'), redirectUri, codeVerifier: verifier, nonce };
};

describe('the authorization request', () => {
  test.each(having('authorization_code'))('of %s is as the facts say', async (id, one) => {
    const client = clientOf(one, 'authorization_code');
    const { server } = providerAnswering(() => json({}));
    const request = { redirectUri: client.redirectUri, codeVerifier: verifier, nonce, scopes: client.config.scopes };
    const url = new URL(await server.authorizationUrl(client, { ...request, loginHint: null, prompt: null }));
    const stated = new URL(filled(one.expected.authorization, one));
    expect(`${url.origin}${url.pathname}`).toBe(`${stated.origin}${stated.pathname}`);

    const name = (registered: string) => ownNames[id]?.[registered] ?? registered;
    const params = Object.entries(one.expected.authorizeParams).map(
      ([key, value]) => [key, filled(value, one)] as const,
    );
    const scope = scopeExpected(one);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      ...Object.fromEntries(stated.searchParams),
      ...Object.fromEntries(params.filter(([, value]) => value !== '')),
      response_type: 'code',
      [name('client_id')]: 'the-client',
      redirect_uri: redirectUris[id] ?? client.redirectUri,
      ...(scope === undefined ? {} : { [name('scope')]: scope }),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
    });
  });
});

describe('the request that redeems a code', () => {
  test.each(having('authorization_code'))('of %s is as the facts say', async (id, one) => {
    for (const clientAuth of one.provider.clientAuth.filter((method) => method !== 'private_key_jwt')) {
      const client = clientOf(one, 'authorization_code', { clientAuth });
      const request = await recorded((server) => server.redeemCode(client, redemption(one, client)));
      const body = bodyOf(one, request);
      expect(request).toMatchObject({ method: 'POST', url: tokenUrl(one) });
      expectClient(one, request, body, clientAuth);
      expect(body).toMatchObject({
        grant_type: 'authorization_code',
        code: 'the-code',
        redirect_uri: redirectUris[id] ?? client.redirectUri,
        code_verifier: verifier.reveal(),
      });
      expect(one.expected.clientAuth).toContain(clientAuth.replace(/_(raw|as_user)$/, ''));
    }
  });
});

/** A variable that may be empty leaves no query behind. */
const tokenUrl = (one: Case) => filled(one.expected.token, one);

describe('the request that refreshes', () => {
  test.each(having('refresh_token'))('of %s is as the facts say', async (_id, one) => {
    const client = clientOf(one, 'authorization_code');
    const request = await recorded((server) => server.refresh(client, new Secret('the-refresh-token')));
    const body = bodyOf(one, request);
    expect(request.url).toBe(/refresh URL (https:\S+?)[;,]/.exec(one.facts.quirk)?.[1] ?? tokenUrl(one));
    expect(body).toMatchObject({ grant_type: 'refresh_token', refresh_token: 'the-refresh-token' });
    const isRepeated = /redirect_uri (is )?expected on refresh/.test(one.facts.quirk);
    expect(body.redirect_uri).toBe(isRepeated ? client.redirectUri : undefined);
    expectClient(one, request, body, one.provider.clientAuth[0] ?? 'none');
  });
});

describe('the request of a client for itself', () => {
  test.each(having('client_credentials'))('of %s is as the facts say', async (_id, one) => {
    const client = clientOf(one, 'client_credentials');
    const request = await recorded((server) => server.mint(client));
    const body = bodyOf(one, request);
    expect(request.url).toBe(tokenUrl(one));
    expect(body.grant_type).toBe('client_credentials');
    expect(body.scope).toBe(scopeExpected(one));
    expectClient(one, request, body, one.provider.clientAuth[0] ?? 'none');
  });

  test.each(having('account_credentials'))('of %s names the account', async (_id, one) => {
    const client = clientOf(one, 'account_credentials');
    const request = await recorded((server) => server.mint(client));
    const body = bodyOf(one, request);
    expect(body).toEqual({ grant_type: 'account_credentials', account_id: one.values.account_id });
    expectClient(one, request, body, 'client_secret_basic_raw');
  });
});

describe('the request with an assertion', () => {
  let signingKey: JWK;
  beforeAll(async () => {
    const { privateKey } = await generateKeyPair('RS256', { extractable: true });
    signingKey = { ...(await exportJWK(privateKey)), alg: 'RS256' };
  });

  const assertionOf = async (id: string): Promise<{ request: SentRequest; assertion: string }> => {
    const provider = catalogue.find((entry) => entry.id === id) as Provider;
    const values = Object.fromEntries(Object.entries(provider.variables).map(([name, { example }]) => [name, example]));
    const one = { id, provider, values } as Case;
    const client = clientOf(one, 'jwt_bearer', { signingKey });
    const request = await recorded((server) => server.mint(client));
    const assertion = request.form.get('assertion') ?? request.headers.get('authorization')?.replace('Bearer ', '');
    return { request, assertion: assertion ?? '' };
  };

  test('of a Google service account acts for the delegated user, scopes in the claims', async () => {
    const { request, assertion } = await assertionOf('google-service-account');
    expect(request.url).toBe('https://oauth2.googleapis.com/token');
    expect(request.form.get('grant_type')).toBe('urn:ietf:params:oauth:grant-type:jwt-bearer');
    expect(decodeJwt(assertion)).toMatchObject({
      iss: 'the-client',
      sub: 'ada@example.com',
      aud: 'https://oauth2.googleapis.com/token',
      scope: 'one two',
    });
  });

  test('of Salesforce names the user and lives three minutes', async () => {
    const { request, assertion } = await assertionOf('salesforce-jwt');
    expect(request.url).toBe('https://login.salesforce.com/services/oauth2/token');
    const { iss, sub, aud, iat = 0, exp = 0, scope } = decodeJwt(assertion);
    expect({ iss, sub, aud, scope }).toEqual({
      iss: 'the-client',
      sub: 'integration@example.com',
      aud: 'https://login.salesforce.com',
      scope: undefined,
    });
    expect(exp - iat).toBeLessThanOrEqual(180);
  });

  test('of a GitHub App is the authorization itself', async () => {
    const { request, assertion } = await assertionOf('github-app-installation');
    expect(request).toMatchObject({
      method: 'POST',
      url: 'https://api.github.com/app/installations/12345678/access_tokens',
    });
    expect(request.form.size).toBe(0);
    const { iss, iat = 0, exp = 0 } = decodeJwt(assertion);
    expect(iss).toBe('the-client');
    expect(exp - iat).toBeLessThanOrEqual(600);
  });
});
