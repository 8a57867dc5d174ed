import { randomBytes } from 'node:crypto';
import pLimit from 'p-limit';
import { type ConnectionConfig, noEndpoints } from '../../src/domain/connection.ts';
import { type ConnectionName, type OrgId, toConnectionName, toOrgId, toUserId } from '../../src/domain/ids.ts';
import { Secret } from '../../src/domain/secret.ts';
import type { Broker } from '../../src/usecases/broker.ts';
import type { BenchBroker } from './bench-broker.ts';
import type { TokenClient } from './refresh-chains.ts';

const hourMs = 3_600_000;
const concurrency = 48;

/** Who imports. */
export const benchCaller = {
  kind: 'api_key',
  id: 'bench',
  name: 'bench',
  orgIds: ['*'],
  roles: ['admin'],
  expiresAt: null,
} as const;

export interface Seed {
  readonly org: string;
  readonly count: number;
  readonly tokenUrl: string;
  /** When the imported access tokens end, from now. */
  readonly endsInMs: number;
}

/** One connection whose users each hold a grant: many grants by few writes. */
export async function seedGrants({ composition }: BenchBroker, seed: Seed): Promise<void> {
  const { broker } = composition;
  const org = toOrgId(seed.org);
  const name = toConnectionName('bench');
  await createConnection(broker, { org, name, config: benchConfig(seed.tokenUrl), clientSecret: 'bench-secret' });
  const limit = pLimit(concurrency);
  const expiresAt = Date.now() + seed.endsInMs;
  const jobs = Array.from({ length: seed.count }, (_, index) =>
    limit(() =>
      broker.importTokens({
        org,
        name,
        caller: benchCaller,
        userId: toUserId(`user-${index}`),
        accessToken: new Secret(`at-${index}-${'x'.repeat(800)}`),
        refreshToken: new Secret(`rt-${index}`),
        expiresAt,
        scopes: null,
      }),
    ),
  );
  await Promise.all(jobs);
}

export interface ConnectionSeed extends TokenClient {
  /** Begins the connections' names. */
  readonly prefix: string;
  /** A connection is made for each, with the token in the organisation's own grant. */
  readonly refreshTokens: readonly string[];
  /** Over so many organisations. */
  readonly organisations: number;
}

/** Connections of their own, whose imported access tokens end soon. */
export async function seedConnections({ composition: { broker } }: BenchBroker, seed: ConnectionSeed): Promise<void> {
  const { clientId, clientSecret } = seed.client;
  const config = { ...benchConfig(seed.tokenUrl), clientId };
  const seedOne = async (refreshToken: string, index: number): Promise<void> => {
    const org = toOrgId(`org-${index % seed.organisations}`);
    const name = toConnectionName(`${seed.prefix}-${index}`);
    await createConnection(broker, { org, name, config, clientSecret });
    await broker.importTokens({
      org,
      name,
      caller: benchCaller,
      userId: null,
      accessToken: new Secret(randomBytes(32).toString('base64url')),
      refreshToken: new Secret(refreshToken),
      expiresAt: broker.clock.now() + dueSoonMs,
      scopes: null,
    });
  };
  const [first, ...others] = seed.refreshTokens;
  // Alone: the first request of the vault's client goes without its body, to be told how to authenticate, and is never
  // sent whole when another one is told before it.
  if (first !== undefined) await seedOne(first, 0);
  const limit = pLimit(concurrency);
  await limit.map(others, (refreshToken, index) => seedOne(refreshToken, index + 1));
}

interface NewBenchConnection {
  readonly org: OrgId;
  readonly name: ConnectionName;
  readonly config: ConnectionConfig;
  readonly clientSecret: string;
}

async function createConnection(broker: Broker, { clientSecret, ...connection }: NewBenchConnection): Promise<void> {
  await broker.createConnection({
    ...connection,
    callerId: benchCaller.id,
    clientSecret: new Secret(clientSecret),
    fallbackApiKey: null,
    signingKey: { privateKey: undefined, algorithm: null },
    apiKey: null,
    refreshToken: null,
    connect: false,
  });
}

function benchConfig(tokenUrl: string): ConnectionConfig {
  return {
    flowType: 'refresh_token',
    provider: null,
    variables: {},
    clientId: 'bench',
    clientAuth: 'client_secret_basic',
    endpoints: { ...noEndpoints, tokenUrl },
    scopes: null,
    scopeSeparator: 'space',
    extraAuthorizeParams: {},
    extraTokenParams: {},
    fallbackClientCredentials: false,
    clientSecretExpiresAt: null,
    description: null,
    tags: [],
    sharedWith: [],
  };
}

/** A token of this life is due within minutes. */
export const dueSoonMs = 36 * 60_000;
/** After this long, all of those are due. */
export const untilDueMs = 5 * 60_000;
/** A token of this life is not due for weeks. */
export const dueLaterMs = 30 * 24 * hourMs;
