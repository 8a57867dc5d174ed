import { toConnectionName, toOrgId, toUserId } from '../../src/domain/ids.ts';
import { Secret } from '../../src/domain/secret.ts';
import { type BenchServices, startBenchBroker } from './bench-broker.ts';
import type { Measure } from './measure.ts';
import { dueSoonMs, seedGrants } from './seed.ts';
import { startTokenServer } from './token-server.ts';

const mostPerRefresh = 6;

/** Requests to Table Storage for one call, with the credential cache off and the API key known. */
export async function measureTableRequests(services: BenchServices): Promise<readonly Measure[]> {
  const server = await startTokenServer(3600);
  const bench = await startBenchBroker(services, 'requests');
  const { broker } = bench.composition;
  const org = toOrgId('ORG1');
  const name = toConnectionName('bench');
  const caller = {
    kind: 'api_key',
    id: 'bench',
    name: 'bench',
    orgIds: ['*'],
    roles: ['admin'],
    expiresAt: null,
  } as const;
  try {
    await seedGrants(bench, { org, count: 1, tokenUrl: server.url, endsInMs: dueSoonMs });
    const tokens = { accessToken: null, refreshToken: new Secret('rt'), scopes: null, expiresAt: null };
    const own = { org, name, caller, userId: null };
    await broker.importTokens({ ...own, ...tokens });
    const read = (userId: string | null) =>
      broker.getCredentials({
        org,
        name,
        userId: userId === null ? null : toUserId(userId),
        minTtlSeconds: null,
        forceRefresh: false,
        requiredScopes: null,
        workflowId: null,
      });
    const count = async (call: () => Promise<unknown>): Promise<number> => {
      await call();
      bench.tables.reset();
      await call();
      return bench.tables.total();
    };
    const ownRead = await count(() => read(null));
    const userRead = await count(() => read('user-0'));
    const ownRefresh = await count(() => broker.refreshConnection(own));
    const userRefresh = await count(() => broker.refreshConnection({ ...own, userId: toUserId('user-0') }));
    return [
      exactly('table requests to read the organisation’s credentials, cache off', ownRead, 1),
      exactly('table requests to read a user’s credentials, cache off', userRead, 2),
      atMost('table requests to refresh the organisation’s grant', ownRefresh),
      atMost('table requests to refresh a user’s grant', userRefresh),
    ];
  } finally {
    await bench.stop();
    await server.stop();
  }
}

function exactly(name: string, figure: number, wanted: number): Measure {
  return { name, figure: String(figure), aim: String(wanted), isMet: figure === wanted, note: 'counted by a proxy' };
}

function atMost(name: string, figure: number): Measure {
  const note = 'read, claim, commit, and two writes of the due index; a user’s grant needs its connection too';
  return { name, figure: String(figure), aim: `${mostPerRefresh} or fewer`, isMet: figure <= mostPerRefresh, note };
}
