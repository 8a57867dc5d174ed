import type { JWK } from 'jose';
import { type ConnectionConfig, type Endpoints, noEndpoints } from '../../../src/domain/connection.ts';
import { type ProviderProfile, unknownProfile } from '../../../src/domain/provider.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { createAuthorizationServer } from '../../../src/oauth/authorization-server.ts';
import type { AuthorizationServer, OAuthClient } from '../../../src/ports/authorization-server.ts';
import type { Clock } from '../../../src/ports/clock.ts';

/** 12 January 2026, 10:00:00 UTC. */
export const now = Date.UTC(2026, 0, 12, 10);

export const fixedClock: Clock = { now: () => now, sleep: () => Promise.resolve() };

export const fixedRandom = { id: () => 'random-id' };

export interface ClientChanges extends Partial<Omit<ConnectionConfig, 'endpoints'>> {
  readonly endpoints?: Partial<Endpoints>;
  readonly secret?: string | null;
  readonly signingKey?: JWK | null;
  readonly profile?: Partial<ProviderProfile>;
}

export function clientWith({
  endpoints,
  profile,
  secret = 'client-secret',
  signingKey = null,
  ...changes
}: ClientChanges = {}): OAuthClient {
  return {
    profile: { ...unknownProfile, ...profile },
    redirectUri: 'https://bowline.example/api/oauth/callback/crm',
    clientSecret: secret === null ? null : new Secret(secret),
    signingKey: signingKey === null ? null : new Secret(JSON.stringify(signingKey)),
    config: {
      flowType: 'authorization_code',
      provider: null,
      variables: {},
      clientId: 'app',
      clientAuth: 'client_secret_post',
      endpoints: {
        ...noEndpoints,
        authorizationUrl: 'https://provider.example/authorize',
        tokenUrl: 'https://provider.example/token',
        issuer: null,
        revocationUrl: 'https://provider.example/revoke',
        userinfoUrl: 'https://provider.example/userinfo',
        testUrl: 'https://provider.example/test',
        ...endpoints,
      },
      scopes: 'read,write',
      scopeSeparator: 'space',
      extraAuthorizeParams: {},
      extraTokenParams: {},
      fallbackClientCredentials: false,
      clientSecretExpiresAt: null,
      description: null,
      tags: [],
      sharedWith: [],
      ...changes,
    },
  };
}

/** A request as it was handed to the guarded client. */
export interface SentRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly form: URLSearchParams;
  /** The body where it is no form. */
  readonly text: string;
}

export interface FakeProvider {
  readonly server: AuthorizationServer;
  readonly sent: SentRequest[];
}

/** A protocol client whose every request gets the answer given, and what it sent. */
export function providerAnswering(
  answer: (request: SentRequest) => Response | Promise<Response>,
  options: Partial<Parameters<typeof createAuthorizationServer>[0]> = {},
): FakeProvider {
  const sent: SentRequest[] = [];
  const fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const form = init.body instanceof URLSearchParams ? init.body : new URLSearchParams();
    const text = typeof init.body === 'string' ? init.body : '';
    const request = { url, method: init.method ?? 'GET', headers: new Headers(init.headers), form, text };
    sent.push(request);
    return answer(request);
  };
  const server = createAuthorizationServer({
    fetch,
    clock: fixedClock,
    random: fixedRandom,
    allowInsecureLoopback: false,
    ...options,
  });
  return { server, sent };
}

export const json = (body: unknown, status = 200, headers: Record<string, string> = {}): Response =>
  Response.json(body, { status, headers });
