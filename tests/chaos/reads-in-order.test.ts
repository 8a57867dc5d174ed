import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, expect, it } from 'vitest';
import type { ChaosHost } from './support/chaos-host.ts';
import { quietSchedule } from './support/due.ts';
import { type ChaosGrant, credentials, importTokens, refresh } from './support/grants.ts';
import { type Commit, createReadLog, type ReadLog } from './support/read-log.ts';
import type { ProxiedRequest } from './support/recording-proxy.ts';
import { concerns, isRefresh } from './support/requests.ts';
import { sized } from './support/size.ts';
import { useWorld } from './support/world.ts';

const load = sized({
  short: { hosts: 2, readers: 3, forMs: 3000 },
  full: { hosts: 4, readers: 3, forMs: 25_000 },
  long: { hosts: 4, readers: 6, forMs: 180_000 },
});
const grantCount = 20;
const cacheSeconds = 2;
const cacheMs = cacheSeconds * 1000;

const environment = { ...quietSchedule(), CREDENTIAL_CACHE_SECONDS: String(cacheSeconds) };
const getWorld = useWorld({ providers: ['strict', 'steady'], environment });
let hosts: ChaosHost[];
let grants: ChaosGrant[];

beforeAll(async () => {
  const world = getWorld();
  hosts = await world.startHosts(load.hosts);
  const parts = hosts.map((host, index) =>
    world.grants.connectMany(host, `ordered-${index}`, grantCount / hosts.length, world.providers()),
  );
  grants = (await Promise.all(parts)).flat();
});

const isRowRead = ({ method, path }: ProxiedRequest): boolean =>
  method === 'GET' && /\/OAuth(Connections|UserGrants)\(/.test(path);

it('no read serves an older token than what was acknowledged before, beyond the life of the cache', async () => {
  const world = getWorld();
  const log = createReadLog(world.history.now);
  const endsAt = world.history.now() + load.forMs;
  for (const { proxy } of world.providers()) proxy.on(isRefresh, { kind: 'delay', leastMs: 20, mostMs: 120 });
  const late = world.tables.on(isRowRead, { kind: 'delay-answer', leastMs: 50, mostMs: 800 }, { chance: 0.15 });
  const keepOn = async (work: () => Promise<void>, pauseMs: number): Promise<void> => {
    while (world.history.now() < endsAt) {
      await work();
      await delay(world.random.between(0, pauseMs));
    }
  };
  const readers = hosts.flatMap((host) =>
    Array.from({ length: load.readers }, () => keepOn(() => readOne(log, host, world.random.pick(grants)), 10)),
  );
  const refreshers = hosts.map((host) => keepOn(() => refreshOne(log, host, world.random.pick(grants)), 150));
  await Promise.all([...readers, ...refreshers]);

  expect(log.commits.length, 'enough was refreshed').toBeGreaterThan(hosts.length);
  expect(late.hits(), 'storage answered late').toBeGreaterThan(hosts.length);
  expect(log.staleReads(cacheMs)).toEqual([]);
  expect(log.readsGoneBack()).toEqual([]);
});

it('an answer of storage that comes late is remembered neither for longer nor in place of a newer one', async () => {
  const world = getWorld();
  const [other, host] = hosts as [ChaosHost, ChaosHost];
  const late = await world.grants.connectMany(other, 'late', 4, world.providers());
  const [overtaken, forgotten, slow, neighbour] = late as [ChaosGrant, ChaosGrant, ChaosGrant, ChaosGrant];
  const log = createReadLog(world.history.now);
  /** A read that sees the row before a refresh elsewhere, and whose answer comes after what happens `meanwhile`. */
  const readLate = async (grant: ChaosGrant, meanwhile: () => Promise<void>): Promise<void> => {
    const hold = holdAnswer(grant);
    const read = readOne(log, host, grant);
    await hold.waiting();
    await refreshOne(log, other, grant);
    await meanwhile();
    hold.release();
    await read;
    await readOne(log, host, grant);
  };

  await readLate(overtaken, () => readOne(log, host, overtaken));
  await readLate(forgotten, async () => {
    await readOne(log, host, forgotten);
    // That lets the process forget what it remembers.
    await refreshOne(log, host, neighbour);
  });
  await readLate(slow, () => delay(cacheMs + 100));
  expect(log.commits).toHaveLength(4);
  expect(log.readsGoneBack()).toEqual([]);
  expect(log.staleReads(cacheMs)).toEqual([]);
});

it('an answer that comes when the newer token is forgotten already does not take its place', async () => {
  const world = getWorld();
  const host = hosts[0] as ChaosHost;
  const [grant] = (await world.grants.connectMany(host, 'outlived', 1, world.providers())) as [ChaosGrant];
  const log = createReadLog(world.history.now);
  await world.grants.setExpiry(grant, Date.now() + 30_000);
  await delay(cacheMs);
  // What a process remembers of this read lives from its beginning: it begins long before it has its token.
  const refreshing = grant.provider.proxy.hold(isRefresh, { at: 'request', times: 1 });
  const newer = readOne(log, host, grant, 60);
  await refreshing.waiting();
  await delay(cacheMs / 2);
  const late = holdAnswer(grant);
  const older = readOne(log, host, grant, 5);
  await late.waiting();
  refreshing.release();
  await newer;
  await delay(cacheMs / 2 + 100);
  late.release();
  await older;
  await readOne(log, host, grant, 5);

  expect(log.reads.map(({ rotation }) => rotation)).toEqual([1, 0, 1]);
  expect(log.readsGoneBack()).toEqual([]);
});

it('a newer token that comes too late to be remembered still ends what was remembered', async () => {
  const world = getWorld();
  const [other, host] = hosts as [ChaosHost, ChaosHost];
  const [first, second, neighbour] = (await world.grants.connectMany(other, 'displaced', 3, world.providers())) as [
    ChaosGrant,
    ChaosGrant,
    ChaosGrant,
  ];
  const log = createReadLog(world.history.now);
  /** A read that begins before the process forgets, and sees a refresh elsewhere of which a later read saw nothing. */
  const overtake = async (grant: ChaosGrant, renew: () => Promise<unknown>): Promise<void> => {
    const hold = world.tables.hold((request) => isRowRead(request) && concerns([grant.connection])(request), {
      at: 'request',
      times: 1,
    });
    const read = readOne(log, host, grant);
    await hold.waiting();
    await refreshOne(log, host, neighbour);
    await readOne(log, host, grant);
    await renew();
    hold.release();
    await read;
    await readOne(log, host, grant);
  };

  await overtake(first, () => refreshOne(log, other, first));
  await overtake(second, () => importTokens(other, second));
  const served = ({ account }: ChaosGrant) => log.reads.filter((read) => read.account === account);
  for (const grant of [first, second]) expect(served(grant).map(({ rotation }) => rotation)).toEqual([0, 1, 1]);
  expect(log.readsGoneBack()).toEqual([]);
});

/** The next answer that holds the grant's row, whole or as the connection of a user's, is kept back. */
function holdAnswer(grant: ChaosGrant) {
  const isOurs = concerns([grant.connection]);
  return getWorld().tables.hold((request) => isRowRead(request) && isOurs(request), { at: 'answer', times: 1 });
}

async function readOne(log: ReadLog, host: ChaosHost, grant: ChaosGrant, leastLifeSeconds?: number): Promise<void> {
  const beganAt = log.now();
  const answer = await credentials(host, grant, leastLifeSeconds);
  const endedAt = log.now();
  expect(answer, grant.account).toMatchObject({ status: 200 });
  const rotation = tokensOf(grant).indexOf(answer.json.access_token);
  expect(rotation, `${grant.account}: a token of its own`).toBeGreaterThanOrEqual(0);
  log.reads.push({ host: host.name, account: grant.account, beganAt, endedAt, rotation });
}

async function refreshOne(log: ReadLog, host: ChaosHost, grant: ChaosGrant): Promise<void> {
  const rotation = tokensOf(grant).length;
  const answer = await refresh(host, grant);
  expect(answer, grant.account).toMatchObject({ status: 200 });
  if (answer?.json.refreshed !== true) return;
  // Others may refresh it meanwhile: what was committed is this rotation or a later one.
  const commit: Commit = { account: grant.account, acknowledgedAt: log.now(), rotation };
  log.commits.push(commit);
}

/** The access tokens of a grant in the order in which they were issued. */
function tokensOf({ account, provider }: ChaosGrant): string[] {
  return [...provider.ledger.accessTokens()].filter(([, owner]) => owner === account).map(([token]) => token);
}
