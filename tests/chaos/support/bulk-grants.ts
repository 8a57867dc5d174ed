import pLimit from 'p-limit';
import { createSystemClock } from '../../../src/adapters/system/system-clock.ts';
import { type Composition, compose } from '../../../src/composition.ts';
import { toConnectionName, toOrgId, toUserId } from '../../../src/domain/ids.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { loadSettings } from '../../../src/settings.ts';
import type { World } from './world.ts';

export interface BulkGrants {
  readonly connection: string;
  /** Default: ORG1. */
  readonly org?: string;
  readonly tokenUrl: string;
  /** Each holds a grant. */
  readonly userIds: readonly string[];
  readonly refreshTokenOf: (userId: string) => string;
}

const minuteMs = 60_000;
const seededAgoMs = 10 * minuteMs;
/** A token of this life is due within a minute of its import: long ago by now. */
const lifeMs = 36 * minuteMs;
const concurrency = 32;

/** Makes a connection whose users' grants are due, past every proxy of the storage. Their access tokens still live. */
export async function seedDueGrants(world: World, bulk: BulkGrants): Promise<void> {
  const composition = seedingBroker(world);
  try {
    await composition.createTables();
    await seed(composition, bulk);
  } finally {
    await composition.close();
  }
}

/** A broker of this process, whose clock says what it was some minutes ago. */
function seedingBroker({ connectionString, vault }: World): Composition {
  const settings = loadSettings({
    OAuthStorage: connectionString,
    AZURE_KEY_VAULT_URL: vault.origin,
    PUBLIC_BASE_URL: 'http://127.0.0.1:7071',
    ALLOW_INSECURE_LOOPBACK: 'true',
  });
  const clock = createSystemClock({ now: () => Date.now() - seededAgoMs });
  // Storage's clock would put ours right again.
  return compose(settings, () => {}, { clock: { ...clock, correct: () => {} } });
}

async function seed({ broker }: Composition, bulk: BulkGrants): Promise<void> {
  const org = toOrgId(bulk.org ?? 'ORG1');
  const name = toConnectionName(bulk.connection);
  const caller = {
    id: 'seed',
    kind: 'api_key',
    name: 'seed',
    orgIds: ['*'],
    roles: ['admin'],
    expiresAt: null,
  } as const;
  const config = configOf(bulk.tokenUrl);
  const clientSecret = new Secret('secret-for-tests');
  await broker.createConnection({
    org,
    name,
    callerId: caller.id,
    config,
    clientSecret,
    refreshToken: null,
    fallbackApiKey: null,
    signingKey: { privateKey: undefined, algorithm: null },
    apiKey: null,
    connect: false,
  });
  const expiresAt = broker.clock.now() + lifeMs;
  const limit = pLimit(concurrency);
  await limit.map(bulk.userIds, (userId) =>
    broker.importTokens({
      org,
      name,
      caller,
      userId: toUserId(userId),
      accessToken: new Secret(`seeded-${bulk.connection}-${userId}`),
      refreshToken: new Secret(bulk.refreshTokenOf(userId)),
      expiresAt,
      scopes: null,
    }),
  );
}

function configOf(tokenUrl: string) {
  const none = { authorizationUrl: null, issuer: null, revocationUrl: null, userinfoUrl: null, testUrl: null };
  return {
    flowType: 'refresh_token',
    provider: null,
    variables: {},
    fallbackClientCredentials: false,
    clientSecretExpiresAt: null,
    clientId: 'app',
    clientAuth: 'client_secret_basic',
    endpoints: { ...none, tokenUrl },
    scopes: null,
    scopeSeparator: 'space',
    extraAuthorizeParams: {},
    extraTokenParams: {},
    description: null,
    tags: [],
    sharedWith: [],
  } as const;
}
