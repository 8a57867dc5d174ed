import pLimit from 'p-limit';
import { noEndpoints } from '../../src/domain/connection.ts';
import { toConnectionName, toOrgId, toUserId } from '../../src/domain/ids.ts';
import { Secret } from '../../src/domain/secret.ts';
import type { BenchBroker } from './bench-broker.ts';

const hourMs = 3_600_000;
const concurrency = 48;

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
  const caller = {
    kind: 'api_key',
    id: 'bench',
    name: 'bench',
    orgIds: ['*'],
    roles: ['admin'],
    expiresAt: null,
  } as const;
  await broker.createConnection({
    org,
    name,
    callerId: caller.id,
    config: benchConfig(seed.tokenUrl),
    clientSecret: new Secret('bench-secret'),
    fallbackApiKey: null,
    signingKey: { privateKey: undefined, algorithm: null },
    apiKey: null,
    refreshToken: null,
    connect: false,
  });
  const limit = pLimit(concurrency);
  const expiresAt = Date.now() + seed.endsInMs;
  const jobs = Array.from({ length: seed.count }, (_, index) =>
    limit(() =>
      broker.importTokens({
        org,
        name,
        caller,
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

export function benchConfig(tokenUrl: string) {
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
  } as const;
}

/** A token of this life is due within minutes. */
export const dueSoonMs = 36 * 60_000;
/** After this long, all of those are due. */
export const untilDueMs = 5 * 60_000;
/** A token of this life is not due for weeks. */
export const dueLaterMs = 30 * 24 * hourMs;
