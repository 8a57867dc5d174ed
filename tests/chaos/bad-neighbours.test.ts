import { beforeAll, expect, it, vi } from 'vitest';
import { expectAlive, expectCalls, expectServed, resetLedgers, seqsOf } from './support/audit.ts';
import { type ChaosHost, logOf } from './support/chaos-host.ts';
import { importMany, makeDue, quietSchedule } from './support/due.ts';
import { openTable, reconcile } from './support/due-index.ts';
import { type ChaosGrant, credentials, dealt } from './support/grants.ts';
import { finishedJob, type Job, sweep } from './support/jobs.ts';
import type { RefreshCall } from './support/ledger.ts';
import type { Provider } from './support/provider.ts';
import { isRefresh } from './support/requests.ts';
import { size, sized } from './support/size.ts';
import { useWorld, type World } from './support/world.ts';

/**
 * Grants of each provider, more than the 16 of a message. `crowd`: organisations that each have a grant at the provider
 * that hangs and one at the one that is well.
 */
const load = sized({
  short: { grants: 20, crowd: 28 },
  full: { grants: 50, crowd: 60 },
  long: { grants: 100, crowd: 80 },
});
/** Each organisation alone has too few grants of one provider for the five failures that stop its calls. */
const ofOneOrg = 4;
/** After so long a call that hangs is given up. */
const hangMs = 8000;
/** A host takes further messages while it works on no more than half of host.json's `batchSize`. */
const mostWhileTaking = 4;
/** What a busy machine may need for all that hangs nowhere. */
const slackMs = 7000;

const getWorld = useWorld({ providers: ['strict', 'overlap', 'steady', 'strict'], environment: quietSchedule() });
let hosts: ChaosHost[];

/** A round has ended just now: none begins while entries are counted that name nobody. */
beforeAll(async () => {
  hosts = await getWorld().startHosts(2);
  await reconcile(getWorld(), hosts[0] as ChaosHost);
});

const anyHost = (): ChaosHost => getWorld().random.pick(hosts);

it('a provider that hangs, one that fails and one that talks nonsense hold up nobody else', async () => {
  const world = getWorld();
  const [well, hanging, failing, garbled] = world.providers() as [Provider, Provider, Provider, Provider];
  const importAt = (prefix: string, provider: Provider) =>
    importMany(world, hosts, { prefix, count: load.grants, provider, orgOf: dealt(ofOneOrg) });
  const wellGrants = await importAt('well', well);
  const others = {
    hanging: await importAt('hanging', hanging),
    failing: await importAt('failing', failing),
    garbled: await importAt('garbled', garbled),
  };
  const bad = Object.values(others).flat();
  await makeDue(world, world.random.shuffled([...wellGrants, ...bad]));
  const before = await seqsOf(world, wellGrants);

  const hang = hanging.proxy.hold(isRefresh, { at: 'request' });
  const fails = failing.proxy.on(isRefresh, { kind: 'answer', status: 500 });
  const garbles = garbled.proxy.on(isRefresh, {
    kind: 'answer',
    status: 200,
    headers: { 'content-type': 'text/html' },
    body: '<!doctype html><title>Down for maintenance</title><p>Back soon.',
  });
  const job = await sweep(world, anyHost());
  await hang.waiting();
  await allAnswered(wellGrants, hangMs);
  expect(hanging.ledger.calls.length, 'some hang').toBeGreaterThan(0);
  expect(hanging.ledger.calls.filter(isOver), 'all was done while the first of them still hung').toEqual([]);
  await vi.waitFor(async () => expect(await seqsOf(world, wellGrants)).toEqual(before.map((seq) => seq + 1)), {
    timeout: slackMs,
    interval: 200,
  });
  expectCalls(wellGrants, 1);
  expect([fails.hits(), garbles.hits()], 'the others were asked').not.toContain(0);
  for (const grant of world.random.shuffled(wellGrants).slice(0, 3)) {
    await expectServed(grant, await credentials(anyHost(), grant));
  }
  await expectOldTokensServed(world, bad);

  if (size === 'short') hang.abandon();
  const done = await finishedJob(anyHost(), job, 30_000);
  expect(done).toMatchObject({ due: wellGrants.length + bad.length, refreshed: wellGrants.length });
  expectErrors(done, others.hanging, 'provider_unavailable');
  expectErrors(done, others.failing, 'provider_unavailable');
  expectErrors(done, others.garbled, 'provider_answer_invalid');
  const calls = bad.map(({ provider, account }) => provider.ledger.callsOf(account).length);
  expect(Math.max(...calls), 'nobody is asked twice in one sweep').toBe(1);
  await expectOldTokensServed(world, bad);
  await expectUnharmed();
});

it('a provider that hangs for many organisations costs the others no more than the first calls that hang', async () => {
  const world = getWorld();
  world.calm();
  resetLedgers(world);
  const [well, hanging] = world.providers() as [Provider, Provider];
  // Alone, and nothing has failed here yet: nobody else works on what one process has no room for.
  for (const host of hosts) await host.kill();
  const host = await world.startHost();
  hosts = [host];
  const importAt = (prefix: string, provider: Provider) =>
    importMany(world, hosts, { prefix, count: load.crowd, provider, orgOf: dealt(1, 'CROWD') });
  await importAt('stuck', hanging);
  const sound = await importAt('sound', well);
  const before = await seqsOf(world, sound);
  const hang = hanging.proxy.hold(isRefresh, { at: 'request' });

  // Each organisation's is a message of its own, of one grant of each provider: far more than a host takes at once.
  for (const { org } of sound) {
    expect(await host.call('POST', '/api/oauth/refresh_all', { org, body: {} })).toMatchObject({ status: 202 });
  }
  await hang.waiting(mostWhileTaking + 1);
  await allAnswered(sound, hangMs + slackMs);
  await vi.waitFor(async () => expect(await seqsOf(world, sound)).toEqual(before.map((seq) => seq + 1)), {
    timeout: slackMs,
    interval: 200,
  });
  expectCalls(sound, 1);
  await expectUnharmed();
});

it('rows that cannot be opened or read are reported and hold up nobody else', async () => {
  const world = getWorld();
  const [well] = world.providers() as [Provider];
  world.calm();
  const grants = await importMany(world, hosts, {
    prefix: 'rows',
    count: load.grants + spoilers.length,
    provider: well,
  });
  const usersGrants = grants.filter(({ userId }) => userId !== null);
  const spoiled = spoilers.map((spoiler, index) => ({ ...spoiler, grant: usersGrants[index] as ChaosGrant }));
  const sound = grants.filter((grant) => !spoiled.some((each) => each.grant === grant));
  await makeDue(world, grants);
  for (const { grant, columns } of spoiled) await world.grants.spoil(grant, await columns(world, sound));
  for (const columns of badEntries) await addEntry(world, well, columns);
  const before = await seqsOf(world, sound);

  const job = await finishedJob(anyHost(), await sweep(world, anyHost()));
  expect(await seqsOf(world, sound)).toEqual(before.map((seq) => seq + 1));
  expectCalls(sound, 1);
  expectCalls(
    spoiled.map(({ grant }) => grant),
    0,
  );
  const errors = job.errors.filter(({ connection_name }) => connection_name.startsWith('rows-'));
  expect(new Set(errors)).toEqual(
    new Set(spoiled.map(({ grant, code }) => ({ connection_name: grant.connection, org_id: grant.org, code }))),
  );
  expect(errors).toHaveLength(spoiled.length);
  for (const { grant, code } of spoiled) {
    expect(await credentials(anyHost(), grant)).toMatchObject({ json: { error: code } });
  }
  const logs = (await Promise.all(hosts.map(logOf))).join('');
  expect(logs.match(/"malformed_row"/g), 'entries that name nobody are reported').toHaveLength(badEntries.length);
  expect(logs.match(/"grant_not_refreshed"/g), 'and so are rows').toHaveLength(spoiled.length);
  expect(logs).toMatch(/"detail":"OAuthUserGrants [^"]* column status holds a value that is not known"/);
  await expectAlive(anyHost(), world.random.shuffled(sound).slice(0, 3));
  await expectUnharmed();
});

interface Spoiler {
  readonly what: string;
  /** What the sweep and a reader are told. */
  readonly code: string;
  readonly columns: (world: World, sound: readonly ChaosGrant[]) => Promise<Readonly<Record<string, unknown>>>;
}

/** What a row can suffer: from a key that is lost to a hand that slips. */
const spoilers: readonly Spoiler[] = [
  {
    what: 'sealed by no key of ours',
    code: 'grant_unreadable',
    columns: async ({ random }) => ({ sealed_0: Uint8Array.from({ length: 400 }, () => random.between(0, 255)) }),
  },
  {
    what: 'the tokens of another',
    code: 'grant_unreadable',
    columns: async ({ grants }, sound) => ({ sealed_0: (await grants.row(sound[0] as ChaosGrant))?.sealed_0 }),
  },
  { what: 'cut short', code: 'grant_unreadable', columns: async () => ({ sealed_0: new Uint8Array([1]) }) },
  { what: 'a status that is none', code: 'internal_error', columns: async () => ({ status: 'purple' }) },
  { what: 'a failure that is no JSON', code: 'internal_error', columns: async () => ({ failure: '{"code":' }) },
  { what: 'a count that is a text', code: 'internal_error', columns: async () => ({ seq: 'many' }) },
  { what: 'nobody’s row', code: 'internal_error', columns: async () => ({ org: '', connection: '', user_id: '' }) },
];

/** Entries of the index that name nobody, each beside sound ones of the same server. */
const badEntries: readonly Readonly<Record<string, unknown>>[] = [
  {},
  { org: 'ORG1', connection_org: 'ORG1', connection: '' },
  { org: 'no org/', connection_org: 'ORG1', connection: 'rows-0' },
  { org: 'ORG1', connection_org: 'ORG1', connection: 'rows-0', user_id: 'x'.repeat(300) },
  { org: 'ORG1', connection_org: 'ORG1', connection: { type: 'Int64', value: '1' } },
];

async function addEntry(world: World, { proxy }: Provider, columns: Readonly<Record<string, unknown>>): Promise<void> {
  const at = Date.now() - 60_000;
  const shard = String(world.random.between(0, 15)).padStart(2, '0');
  const place = { partitionKey: `d${shard}|${String(Math.floor(at / 3_600_000)).padStart(7, '0')}` };
  const rowKey = `${at}|bad-${world.random.between(0, 1_000_000)}`;
  await openTable(world, 'OAuthRefreshDue').createEntity({ ...place, rowKey, server: proxy.origin, ...columns });
}

const isOver = ({ endedAt }: RefreshCall): boolean => endedAt !== null;

function allAnswered(grants: readonly ChaosGrant[], timeout: number): Promise<unknown> {
  const isAnswered = ({ provider, account }: ChaosGrant) => provider.ledger.callsOf(account).some(isOver);
  return vi.waitUntil(() => grants.every(isAnswered), { timeout, interval: 20 });
}

/** Some were tried and failed; for others the provider was not even asked any more. */
function expectErrors({ errors }: Job, grants: readonly ChaosGrant[], code: string): void {
  const names = new Set(grants.map(({ connection }) => connection));
  const codes = errors.filter(({ connection_name }) => names.has(connection_name)).map((error) => error.code);
  expect(codes).toContain(code);
  expect(codes.filter((each) => ![code, 'provider_paused'].includes(each))).toEqual([]);
}

/** Their tokens live on: nothing is lost for as long as a provider is not well. */
async function expectOldTokensServed(world: World, grants: readonly ChaosGrant[]): Promise<void> {
  for (const grant of world.random.shuffled(grants).slice(0, 6)) {
    const answer = await credentials(anyHost(), grant);
    expect(answer).toMatchObject({ status: 200, json: { access_token: `imported-${grant.account}` } });
  }
}

/** The processes live, and none of it was a surprise to them. */
async function expectUnharmed(): Promise<void> {
  for (const host of hosts) {
    expect(host.process.child.exitCode).toBeNull();
    expect(await host.call('GET', '/api/health')).toMatchObject({ status: 200 });
    expect(await logOf(host)).not.toMatch(/"refresh_crashed"|"refresh_batch_poisoned"|"Function failed"/);
  }
}
