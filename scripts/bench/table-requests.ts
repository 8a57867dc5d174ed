import { toConnectionName, toOrgId, toUserId } from '../../src/domain/ids.ts';
import { Secret } from '../../src/domain/secret.ts';
import { type BenchServices, startBenchBroker } from './bench-broker.ts';
import type { TableRequests } from './counting-proxy.ts';
import type { Measure } from './measure.ts';
import { benchCaller, dueSoonMs, seedGrants } from './seed.ts';
import { startTokenServer } from './token-server.ts';

const mostPerRefresh = 6;

/** Requests to Table Storage for one call, with the credential cache off and the API key known. */
export async function measureTableRequests(services: BenchServices): Promise<readonly Measure[]> {
  const server = await startTokenServer(3600);
  const bench = await startBenchBroker(services, { prefix: 'requests' });
  const { broker } = bench.composition;
  const org = toOrgId('ORG1');
  const name = toConnectionName('bench');
  try {
    await seedGrants(bench, { org, count: 1, tokenUrl: server.url, endsInMs: dueSoonMs });
    const tokens = { accessToken: null, refreshToken: new Secret('rt'), scopes: null, expiresAt: null };
    const own = { org, name, caller: benchCaller, userId: null };
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
    // The first call fills what is kept in memory, and begins the audit log's chain.
    const count = async (call: () => Promise<unknown>): Promise<TableRequests> => {
      await call();
      bench.tables.reset();
      await call();
      return bench.tables.counted();
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

function exactly(name: string, { all }: TableRequests, wanted: number): Measure {
  const note = 'counted by a proxy; what an HTTP call adds for its caller and its audit record is left out';
  return { name, figure: String(all), aim: String(wanted), isMet: all === wanted, note };
}

function atMost(name: string, { others, auditRecords }: TableRequests): Measure {
  return {
    name,
    figure: `${others} and ${auditRecords === 1 ? 'an audit record' : `${auditRecords} audit records`}`,
    aim: `${mostPerRefresh} or fewer, beside the audit record`,
    isMet: others <= mostPerRefresh && auditRecords === 1,
    note: 'read, claim, commit, and two writes of the due index; a user’s grant needs its connection too. The head of the audit log’s chain, written every ten seconds, is left out',
  };
}
