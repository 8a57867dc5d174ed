import { TableClient } from '@azure/data-tables';
import { beforeAll, expect, it } from 'vitest';
import { expectAlive, expectSingleUse, seqsOf } from './support/audit.ts';
import type { ChaosHost } from './support/chaos-host.ts';
import { type ChaosGrant, credentials, refresh } from './support/grants.ts';
import { outcomeTable, type PointOutcome } from './support/outcome-table.ts';
import { providerClasses } from './support/provider.ts';
import type { Match } from './support/recording-proxy.ts';
import { sized } from './support/size.ts';
import { verifyStored } from './support/verify-stored.ts';
import { useWorld, type World } from './support/world.ts';

const load = sized({
  short: { kills: 2, grants: 3, readers: 4, readsBeforeKill: 30 },
  full: { kills: 6, grants: 6, readers: 8, readsBeforeKill: 120 },
  long: { kills: 20, grants: 12, readers: 12, readsBeforeKill: 400 },
});

const getWorld = useWorld({
  providers: providerClasses,
  environment: { AUDIT_CREDENTIAL_READS: 'every', CREDENTIAL_CACHE_SECONDS: '5', RATE_LIMIT_PER_MINUTE: '0' },
});

/** An insert of audit records, alone or in a group. */
const isAuditWrite: Match = ({ method, path, body }) =>
  method === 'POST' && (/OAuthAudit/.test(path) || (/\$batch/.test(path) && body.includes('OAuthAudit')));

interface Recorded {
  readonly action: string;
  readonly connection: string;
  readonly correlationId: string;
  readonly outcome: string;
}

async function recorded({ connectionString }: World): Promise<Recorded[]> {
  const client = TableClient.fromConnectionString(connectionString, 'OAuthAudit', { allowInsecureConnection: true });
  const records: Recorded[] = [];
  for await (const row of client.listEntities()) {
    if (/^!(heads|checkpoint)/.test(row.partitionKey ?? '')) continue;
    const { action, connection, correlation_id: correlationId, outcome } = row;
    records.push({ action, connection, correlationId, outcome } as Recorded);
  }
  return records;
}

let grants: ChaosGrant[];
beforeAll(async () => {
  const world = getWorld();
  const first = await world.startHost();
  grants = await world.grants.connectMany(first, 'audited', load.grants, world.providers());
  await first.terminate();
});

/** Reads as a workflow does, until the process is gone. Resolves to the correlation ids of what was handed out. */
async function readUntilGone(world: World, host: ChaosHost, served: Set<string>): Promise<void> {
  for (;;) {
    const { connection, org, userId } = world.random.pick(grants);
    const id = `read-${world.random.between(0, 2 ** 31)}-${served.size}`;
    const query = userId === null ? '' : `?user_id=${encodeURIComponent(userId)}`;
    try {
      const answer = await fetch(`${host.url}/api/oauth/credentials/${connection}${query}`, {
        headers: { 'x-api-key': world.adminKey, 'x-organization-id': org, 'x-correlation-id': id },
      });
      const { access_token: token } = (await answer.json()) as { access_token?: string };
      if (token !== undefined) served.add(id);
    } catch {
      return;
    }
  }
}

it('no credential was seen that is not recorded, whenever the process was killed (S-68)', async () => {
  const world = getWorld();
  const served = new Set<string>();
  for (let kill = 0; kill < load.kills; kill += 1) {
    const host = await world.startHost();
    // Some of the writes are applied and not confirmed.
    const lost = world.tables.on(isAuditWrite, { kind: 'lose-reply' }, { chance: 0.05 });
    const before = served.size;
    const readers = Array.from({ length: load.readers }, () => readUntilGone(world, host, served));
    const wanted = before + load.readsBeforeKill;
    await expect.poll(() => served.size, { timeout: 60_000, interval: 5 }).toBeGreaterThan(wanted);
    await host.kill();
    await Promise.all(readers);
    lost.stop();
    expect(lost.hits(), 'some were lost').toBeGreaterThan(0);
  }
  const reads = (await recorded(world)).filter(
    ({ action, outcome }) => action === 'credential.read' && outcome === 'success',
  );
  const recordedIds = new Set(reads.map(({ correlationId }) => correlationId));
  expect([...served].filter((id) => !recordedIds.has(id))).toEqual([]);
  expect(served.size).toBeLessThanOrEqual(reads.length);
  console.log(`${served.size} credentials seen, ${reads.length} reads recorded, ${load.kills} kills`);
});

it('K8: killed before the audit write of a refresh, nothing is lost but its record', async () => {
  const world = getWorld();
  const victim = await world.startHost();
  for (const grant of grants) await credentials(victim, grant);
  const before = await seqsOf(world, grants);
  const held = world.tables.hold(isAuditWrite, { at: 'request' });
  const answers = Promise.all(grants.map((grant) => refresh(victim, grant)));
  await held.waiting(1);
  // Each record comes after its commit.
  const after = before.map((seq) => seq + 1);
  await expect.poll(() => seqsOf(world, grants), { timeout: 20_000 }).toEqual(after);
  await victim.kill();
  held.abandon();
  expect(await answers).toEqual(grants.map(() => undefined));
  world.calm();

  const survivor = await world.startHost();
  const point = 'K8 before the audit write';
  const outcomes: PointOutcome[] = [];
  for (const grant of grants)
    outcomes.push({ point, kind: grant.provider.kind, outcome: await outcomeOf(survivor, grant) });
  console.table(outcomeTable(outcomes));
  expect(outcomes.filter(({ outcome }) => outcome !== 'kept')).toEqual([]);
  expectSingleUse(grants);
  await expectAlive(survivor, grants);
});

/** Kept: what the killed host had written is served, and its refresh token is good for the next refresh. */
async function outcomeOf(host: ChaosHost, grant: ChaosGrant): Promise<'kept' | 'lost'> {
  const { ledger } = grant.provider;
  const newest = ledger.newestOf(grant.account);
  const served = await credentials(host, grant);
  const isServed = served.status === 200 && ledger.ownerOf(served.json.access_token) === grant.account;
  const refreshed = await refresh(host, grant);
  const call = ledger.callsOf(grant.account).at(-1);
  return isServed && refreshed?.status === 200 && call?.tokenHash === newest && call?.status === 200 ? 'kept' : 'lost';
}

it('what was killed so often still verifies', async () => {
  const world = getWorld();
  const host = await world.startHost();
  await credentials(host, grants[0] as ChaosGrant);
  expect(await host.terminate()).toBe(0);

  expect(await verifyStored(world.connectionString)).toEqual([]);
});
