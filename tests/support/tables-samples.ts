import { type Connection, type ConnectionConfig, noEndpoints } from '../../src/domain/connection.ts';
import { emptyGrant, type Grant, type GrantKey, type Tokens } from '../../src/domain/grant.ts';
import { toConnectionName, toOrgId, toUserId } from '../../src/domain/ids.ts';
import { Secret } from '../../src/domain/secret.ts';
import type { GrantChange, StoredGrant } from '../../src/ports/grant-store.ts';

export const acme = toOrgId('acme');
export const globex = toOrgId('globex');

const config: ConnectionConfig = {
  flowType: 'authorization_code',
  provider: null,
  variables: {},
  clientId: 'client-1',
  clientAuth: 'client_secret_basic',
  endpoints: {
    ...noEndpoints,
    authorizationUrl: 'https://login.example.com/authorize',
    tokenUrl: 'https://login.example.com/token',
    issuer: null,
    revocationUrl: null,
    userinfoUrl: 'https://login.example.com/userinfo',
    testUrl: null,
  },
  scopes: 'read, write',
  scopeSeparator: 'comma',
  extraAuthorizeParams: { access_type: 'offline' },
  extraTokenParams: {},
  fallbackClientCredentials: false,
  clientSecretExpiresAt: null,
  description: 'Files of the sales team',
  tags: ['sales', 'files'],
  sharedWith: [],
};

export function sampleConnection(name = 'crm', org = acme, changes: Partial<ConnectionConfig> = {}): Connection {
  return {
    org,
    name: toConnectionName(name),
    config: { ...config, ...changes },
    clientSecretRef: 'bowline-1',
    previousClientSecretRef: null,
    fallbackApiKeyRef: null,
    signingKey: { ref: 'bowline-2', id: 'key-1', publicJwk: { kty: 'EC', crv: 'P-256', alg: 'ES256' } },
    endpointsId: 'endpoints-1',
    revision: 'revision-1',
    createdAt: 1_700_000_000_000,
    createdBy: 'key:1',
    updatedAt: 1_700_000_000_001,
    lastTestAt: null,
  };
}

export function sampleTokens(mark = 'one', changes: Partial<Tokens> = {}): Tokens {
  return {
    accessToken: new Secret(`access-${mark}`),
    tokenType: 'Bearer',
    refreshToken: new Secret(`refresh-${mark}`),
    account: 'account-7',
    metadata: { instance_url: 'https://eu7.example.com' },
    ...changes,
  };
}

/** A grant that holds tokens, with every optional field set. */
export function sampleGrant(changes: Partial<Grant> = {}): Grant {
  return {
    ...emptyGrant('generation-1', 'endpoints-1'),
    status: 'completed',
    seq: 1,
    hasTokens: true,
    hasRefreshToken: true,
    grantedScopes: 'read',
    expiresAt: 1_700_003_600_000,
    lifeSeconds: 3600,
    dueAt: 1_700_001_800_000,
    connectedAt: 1_690_000_000_000,
    lastRefreshAt: 1_700_000_000_000,
    lastUsedAt: 1_700_000_000_500,
    failure: {
      code: 'provider_unavailable',
      message: 'The provider answered 503.',
      since: 1_700_000_000_000,
      attempts: 2,
      retryAt: 1_700_000_060_000,
      readRetryAt: 1_700_000_002_000,
    },
    pending: {
      stateHash: 'ab'.repeat(32),
      startedAt: 1_700_000_000_000,
      expiresAt: 1_700_000_600_000,
      testingUntil: null,
    },
    ...changes,
  };
}

export function ownKey(connection: Connection): GrantKey {
  return { connectionOrg: connection.org, org: connection.org, connection: connection.name, userId: null };
}

export function userKey(connection: Connection, user: string, org = connection.org): GrantKey {
  return { connectionOrg: connection.org, org, connection: connection.name, userId: toUserId(user) };
}

/** What is in a token set, in the clear: for comparing. */
export function revealed(tokens: Tokens | null): unknown {
  return (
    tokens && {
      ...tokens,
      accessToken: tokens.accessToken?.reveal() ?? null,
      refreshToken: tokens.refreshToken?.reveal() ?? null,
    }
  );
}

/** The change that a refresh commits: one token set further. */
export function refreshed(stored: StoredGrant, mark: string): GrantChange {
  const grant = { ...stored.grant, seq: stored.grant.seq + 1, failure: null, expiresAt: 1_800_000_000_000 };
  return { grant, tokens: sampleTokens(mark) };
}

/** The change that a refresh commits when the provider failed: no new tokens. */
export function failedOnce(stored: StoredGrant): GrantChange {
  const failure = sampleGrant().failure;
  return { grant: { ...stored.grant, failure: failure && { ...failure, attempts: failure.attempts + 1 } } };
}

/** The grant under another generation, as import and callback leave it. */
export function replaced(stored: StoredGrant, mark: string): GrantChange {
  const grant = { ...stored.grant, generation: `generation-${mark}`, seq: stored.grant.seq + 1, pending: null };
  return { grant, tokens: sampleTokens(mark) };
}
