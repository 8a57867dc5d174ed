import { beforeAll, expect, it, vi } from 'vitest';
import type { Answer } from '../support/running-hosts.ts';
import { expectAlive } from './support/audit.ts';
import type { ChaosHost } from './support/chaos-host.ts';
import { quietSchedule } from './support/due.ts';
import { concernsEntryOf, expectConverged, openTable, reconcile } from './support/due-index.ts';
import { type ChaosGrant, createConnection, credentials } from './support/grants.ts';
import { sweep } from './support/jobs.ts';
import { outcomeTable, type PointOutcome } from './support/outcome-table.ts';
import { type Provider, providerClasses } from './support/provider.ts';
import type { Match } from './support/recording-proxy.ts';
import { both, isDueRemoval } from './support/requests.ts';
import { sized } from './support/size.ts';
import { laterDayMs, startLater } from './support/tables-view.ts';
import { useWorld, type World } from './support/world.ts';

const trials = sized({ short: 1, full: 6, long: 20 });

const getWorld = useWorld({ providers: providerClasses, environment: quietSchedule() });
let survivor: ChaosHost;

/** A round has ended just now: none begins by the clock of the hosts that live today. */
beforeAll(async () => {
  survivor = await getWorld().startHost();
  await reconcile(getWorld(), survivor);
});

interface Deletion {
  readonly provider: Provider;
  readonly connection: string;
  readonly own: ChaosGrant;
  readonly user: ChaosGrant;
  readonly secret: string;
  readonly isMadeAnewAtOnce: boolean;
}

async function deletionsAt(world: World, prefix: string, parity: number): Promise<Deletion[]> {
  const made: Deletion[] = [];
  for (let index = 0; index < trials; index += 1) {
    for (const provider of world.providers()) {
      const connection = `${prefix}-${provider.kind}-${index}`;
      const own = await world.grants.connect(survivor, { provider, connection });
      const user = await world.grants.connect(survivor, { provider, connection, userId: 'alice' });
      const secret = String((await world.grants.row(own))?.client_secret_ref);
      made.push({ provider, connection, own, user, secret, isMadeAnewAtOnce: made.length % 2 === parity });
    }
  }
  return made;
}

/** Brings deletions to where the row is gone and the index not yet, and to where only the secret is left; kills them. */
async function killDeleting(world: World): Promise<Deletion[]> {
  const victim = await world.startHost();
  const atIndex = await deletionsAt(world, 'at-index', 0);
  const atSecret = await deletionsAt(world, 'at-secret', 1);
  const isOfEntry = both(isDueRemoval, concernsEntryOf(atIndex.map(({ own }) => own)));
  const isOfSecret: Match = ({ method, path }) =>
    method === 'DELETE' && atSecret.some(({ secret }) => path.startsWith(`/secrets/${secret}`));
  const holds = [
    world.tables.hold(isOfEntry, { at: 'request', times: atIndex.length }),
    world.vault.hold(isOfSecret, { at: 'request', times: atSecret.length }),
  ];
  const all = [...atIndex, ...atSecret];
  const answers = Promise.all(
    all.map(({ connection }) => victim.tryCall('DELETE', `/api/oauth/connections/${connection}`)),
  );
  await Promise.all(holds.map((hold) => hold.waiting(atIndex.length)));
  await victim.kill();
  for (const hold of holds) hold.abandon();
  expect(await answers).toEqual(Array(all.length).fill(undefined));
  return all;
}

async function expectRefusedTo(host: ChaosHost, { own, user, isMadeAnewAtOnce }: Deletion): Promise<void> {
  const told = isMadeAnewAtOnce
    ? { status: 503, json: { error: 'connection_not_ready' } }
    : { status: 404, json: { error: 'connection_not_found' } };
  const answers: readonly Answer[] = [await credentials(host, own), await credentials(host, user)];
  for (const answer of answers) expect(answer, own.account).toMatchObject(told);
}

async function secretsOf({ vault }: World): Promise<string[]> {
  const names: string[] = [];
  let next: string | null = `${vault.origin}/secrets?api-version=7.6`;
  while (next !== null) {
    const answer: Response = await fetch(next, { headers: { authorization: 'Bearer test' } });
    const page = (await answer.json()) as { value: { id: string }[]; nextLink: string | null };
    names.push(...page.value.map(({ id }) => new URL(id).pathname.split('/').at(-1) as string));
    next =
      page.nextLink === null
        ? null
        : `${vault.origin}${new URL(page.nextLink).pathname}${new URL(page.nextLink).search}`;
  }
  return names.filter((name) => name.startsWith('bowline-'));
}

it('K11: what a killed host was deleting stays deleted, and its users and entries follow', async () => {
  const world = getWorld();
  const bystander = await world.grants.connect(survivor, { provider: world.provider('strict'), connection: 'stays' });
  const deletions = await killDeleting(world);
  for (const { provider, connection, isMadeAnewAtOnce } of deletions) {
    if (isMadeAnewAtOnce) await createConnection(survivor, provider, connection, 'ORG1');
  }
  for (const each of deletions) await expectRefusedTo(survivor, each);
  const callsBefore = callsOf(deletions);

  const later = await startLater(world, laterDayMs);
  if (world.random.fraction() < 0.5) await sweep(world, later);
  await reconcile(world, later);
  await vi.waitFor(() => expectConverged(world), { timeout: 10_000, interval: 100 });
  for (const each of deletions) await expectRefusedTo(later, each);
  expect(callsOf(deletions), 'nothing of them is refreshed').toEqual(callsBefore);
  for (const { user, isMadeAnewAtOnce } of deletions) {
    const row = await world.grants.row(user);
    if (isMadeAnewAtOnce) expect(row?.has_tokens ?? false, user.account).toBe(false);
    else expect(row, user.account).toBeUndefined();
  }

  const outcomes = await Promise.all(deletions.map((each) => outcomeOf(later, each)));
  for (const { provider, connection, own, isMadeAnewAtOnce } of deletions) {
    if (!isMadeAnewAtOnce) await createConnection(later, provider, connection, 'ORG1');
    await world.grants.connect(later, { provider, connection });
    await expectAlive(later, [own]);
  }
  await expectNoSecretInUse(world, deletions);
  await expectAlive(later, [bystander]);
  console.table(outcomeTable(outcomes));
});

/** By what its former users are told. */
async function outcomeOf(host: ChaosHost, { provider, connection, user }: Deletion): Promise<PointOutcome> {
  const point = `K11 row gone, ${connection.startsWith('at-index') ? 'index' : 'secret'} not yet`;
  const { status } = await credentials(host, user);
  return { point, kind: provider.kind, outcome: status === 200 ? 'back again' : 'stayed deleted' };
}

function callsOf(deletions: readonly Deletion[]): number[] {
  return deletions.flatMap(({ own, user }) =>
    [own, user].map(({ provider, account }) => provider.ledger.callsOf(account).length),
  );
}

/** The secret of a deleted connection may stay in the vault, for nobody's use; the vault has no other that is not used. */
async function expectNoSecretInUse(world: World, deletions: readonly Deletion[]): Promise<void> {
  const used: string[] = [];
  for await (const { client_secret_ref } of openTable(world, 'OAuthConnections').listEntities<
    Record<string, unknown>
  >()) {
    used.push(String(client_secret_ref));
  }
  const left = deletions.map(({ secret }) => secret);
  expect(used.filter((secret) => left.includes(secret))).toEqual([]);
  expect((await secretsOf(world)).filter((secret) => !used.includes(secret) && !left.includes(secret))).toEqual([]);
}
