import { beforeAll, expect, it } from 'vitest';
import type { Answer } from '../support/running-hosts.ts';
import { expectSingleUse } from './support/audit.ts';
import type { ChaosHost } from './support/chaos-host.ts';
import type { ChaosGrant } from './support/grants.ts';
import type { Provider } from './support/provider.ts';
import { isRefresh } from './support/requests.ts';
import { sized } from './support/size.ts';
import { useWorld } from './support/world.ts';

/** I6 in full asks for 8 processes and 10,000 reads. */
const load = sized({
  short: { hosts: 2, reads: 1000 },
  full: { hosts: 3, reads: 6000 },
  long: { hosts: 8, reads: 10_000 },
});
const foreignShare = 0.05;
const inParallel = 24;
const orgs = ['ALPHA', 'BRAVO', 'CHARLIE', 'DELTA', 'ECHO'];
const names = ['crm', 'mail'];
const users = [null, 'user-1', 'user-2'];

/** With its cache on: what is in memory must not cross either. */
const getWorld = useWorld({ providers: ['strict'], environment: { CREDENTIAL_CACHE_SECONDS: '2' } });
let hosts: ChaosHost[];
let grants: ChaosGrant[];
const keys = new Map<string, string>();

beforeAll(async () => {
  const world = getWorld();
  hosts = await world.startHosts(load.hosts);
  const first = hosts[0] as ChaosHost;
  const provider = world.provider('strict');
  for (const org of orgs) {
    const body = { name: `reader of ${org}`, org_ids: [org], roles: ['reader'] };
    keys.set(org, (await first.call('POST', '/api/oauth/callers', { org, body })).json.api_key);
  }
  const wanted = orgs.flatMap((org) => [
    ...names.flatMap((connection) => users.map((userId) => ({ provider, org, connection, userId }))),
    { provider, org, connection: `only-${org}`, userId: null },
    { provider, org, connection: 'crm', userId: `user-of-${org}` },
  ]);
  grants = [];
  for (const each of wanted) grants.push(await world.grants.connect(first, each));
}, 120_000);

/** What a read asks for, and the one account whose token may be in the answer. */
interface Read {
  readonly org: string;
  readonly keyOf: string;
  readonly connection: string;
  readonly userId: string | null;
  readonly expected: { readonly status: number; readonly error?: string; readonly account?: string };
}

function ownRead({ org, connection, userId, account }: ChaosGrant): Read {
  return { org, keyOf: org, connection, userId, expected: { status: 200, account } };
}

/** Asks in one organisation for what only another has. */
function foreignReads({ org, connection, userId, account }: ChaosGrant, other: string): Read[] {
  const forbidden = { status: 403, error: 'organization_forbidden' };
  const missing = { status: 404, error: 'connection_not_found' };
  const unknownUser = { status: 503, error: 'connection_not_ready' };
  return [
    { org, keyOf: other, connection, userId, expected: forbidden },
    { org: other, keyOf: other, connection: `only-${org}`, userId: null, expected: missing },
    { org: other, keyOf: other, connection: 'crm', userId: `user-of-${org}`, expected: unknownUser },
    { org: other, keyOf: other, connection: account.replaceAll('/', '-'), userId: null, expected: missing },
  ];
}

it('no token crosses from one organisation to another, in whatever order all of them ask', async () => {
  const world = getWorld();
  const provider = world.provider('strict');
  provider.proxy.on(isRefresh, { kind: 'delay', leastMs: 5, mostMs: 50 });
  let left = load.reads;
  const work = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const grant = world.random.pick(grants);
      if (world.random.fraction() < 0.05) await world.grants.lapse(grant);
      const other = world.random.pick(orgs.filter((org) => org !== grant.org));
      const isForeign = world.random.fraction() < foreignShare;
      const read = isForeign ? world.random.pick(foreignReads(grant, other)) : ownRead(grant);
      expectOnlyOurs(provider, read, await ask(world.random.pick(hosts), read));
    }
  };
  await Promise.all(Array.from({ length: inParallel }, work));
  expectSingleUse(grants);
});

function ask(host: ChaosHost, { org, keyOf, connection, userId }: Read): Promise<Answer> {
  const query = userId === null ? '' : `?user_id=${userId}`;
  const key = keys.get(keyOf) ?? '';
  return host.call('GET', `/api/oauth/credentials/${connection}${query}`, { org, key });
}

function expectOnlyOurs({ ledger }: Provider, read: Read, { status, json, text }: Answer): void {
  const { expected } = read;
  const what = JSON.stringify(read);
  expect(status, `${what}: ${json?.error}`).toBe(expected.status);
  expect(json.error, what).toBe(expected.error);
  const owners = (text.match(/[\w-]{20,}/g) ?? []).map((word) => ledger.ownerOf(word)).filter((owner) => owner);
  expect(owners, what).toEqual(expected.account === undefined ? [] : [expected.account]);
  if (expected.account !== undefined) expect(json.org_id, what).toBe(read.org);
}
