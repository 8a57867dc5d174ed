import { expect, it, vi } from 'vitest';
import type { Answer } from '../support/running-hosts.ts';
import { addVaultKey } from '../support/vault-keys.ts';
import type { ChaosHost } from './support/chaos-host.ts';
import { dueAccounts, quietSchedule } from './support/due.ts';
import { expectConverged, putEntry, reconcile } from './support/due-index.ts';
import { type ChaosGrant, createConnection, credentials, refresh } from './support/grants.ts';
import { finishedJob, finishedRekey, sweep } from './support/jobs.ts';
import { providerClasses } from './support/provider.ts';
import { type RefreshPoint, refreshPoints, stopAt } from './support/refresh-points.ts';
import { sized } from './support/size.ts';
import { laterDayMs, startLater } from './support/tables-view.ts';
import { useWorld, type World } from './support/world.ts';

/** Of each provider class at each point; one of two is made anew under the same name before the refresh goes on. */
const trials = sized({ short: 2, full: 4, long: 10 });

const minuteMs = 60_000;

const getWorld = useWorld({ providers: providerClasses, environment: quietSchedule() });

interface Deletion {
  readonly grant: ChaosGrant;
  readonly isMadeAnew: boolean;
  readonly point: RefreshPoint;
}

it('what is deleted while a refresh is under way stays deleted, also for sweeps, the reconcile and a new key', async () => {
  const world = getWorld();
  const [refresher, deleter] = (await world.startHosts(2)) as [ChaosHost, ChaosHost];
  const deletions: Deletion[] = [];
  for (const point of refreshPoints) deletions.push(...(await deleteAt(world, point, refresher, deleter)));

  for (const host of [refresher, deleter]) {
    await host.trigger('refreshSweep');
    const job = await host.call('POST', '/api/oauth/refresh_all', { body: {} });
    await vi.waitFor(async () => {
      const state = await host.call('GET', `/api/oauth/refresh_job_status?job_id=${job.json.job_id}`);
      expect(state.json).toMatchObject({ finished_at: expect.any(String), refreshed: 0 });
    }, 30_000);
  }
  await world.grants.connect(deleter, { connection: 'living', provider: world.provider('steady') });
  await sweepEntries(world, refresher, deletions);
  await reconcileAndRekey(world, deletions);
  for (const deletion of deletions) await expectGone(world, refresher, deletion);
});

/** Entries that name what was deleted lead a sweep to nothing, and go. */
async function sweepEntries(world: World, host: ChaosHost, deletions: readonly Deletion[]): Promise<void> {
  for (const { grant } of deletions) await putEntry(world, grant, Date.now() - minuteMs);
  const job = await finishedJob(host, await sweep(world, host));
  expect(job).toMatchObject({ due: deletions.length, refreshed: 0, failed: 0 });
  expect(await dueAccounts(world)).toEqual([]);
}

/** Old entries that no sweep has met yet go with the reconcile. Whatever lies anywhere then is sealed with another key. */
async function reconcileAndRekey(world: World, deletions: readonly Deletion[]): Promise<void> {
  for (const { grant } of deletions) await putEntry(world, grant, Date.now() + 2 * laterDayMs);
  await addVaultKey(world.vault.origin);
  const later = await startLater(world, laterDayMs);
  await reconcile(world, later);
  await expectConverged(world);
  const begun = await later.call('POST', '/api/oauth/rekey', { org: 'GLOBAL', body: {} });
  expect(await finishedRekey(later, begun.json.job_id)).toMatchObject({ unreadable: 0 });
  await expectConverged(world);
  await later.kill();
}

/** Deletes connections on one host while another's refreshes stand at a point, then lets them go on. */
async function deleteAt(world: World, point: RefreshPoint, refresher: ChaosHost, deleter: ChaosHost) {
  const count = trials * providerClasses.length;
  const grants = await world.grants.connectMany(deleter, `gone-${point.name}`, count, world.providers());
  const deletions = grants.map((grant, index) => ({ grant, point, isMadeAnew: Math.floor(index / 3) % 2 === 1 }));
  const stopped = stopAt(world, point, grants);
  const answers = Promise.all(grants.map((grant) => refresh(refresher, grant)));
  await stopped.reached();
  for (const { grant, isMadeAnew } of deletions) {
    const deleted = await deleter.call('DELETE', `/api/oauth/connections/${grant.connection}`);
    expect(deleted, grant.account).toMatchObject({ status: 200 });
    if (isMadeAnew) await createConnection(deleter, grant.provider, grant.connection, grant.org);
  }
  stopped.release();
  for (const answer of await answers) expectRefused(point, answer);
  return deletions;
}

/** From K5 on the new tokens were written before the deletion. */
function expectRefused({ name }: RefreshPoint, answer: Answer | undefined): void {
  if (['K5', 'K6', 'K7'].includes(name)) expect(answer?.status, name).toBeOneOf([200, 404, 503]);
  else expect(answer?.status, `${name}: ${answer?.text}`).toBeOneOf([404, 409, 503]);
}

async function expectGone(world: World, host: ChaosHost, { grant, isMadeAnew, point }: Deletion): Promise<void> {
  const place = `${point.name} ${grant.provider.kind} ${grant.account}`;
  const row = await world.grants.row(grant);
  if (!isMadeAnew || grant.userId !== null) expect(row, place).toBeUndefined();
  else expect(row, place).toMatchObject({ status: 'not_connected', has_tokens: false, has_refresh_token: false });
  const answer = await credentials(host, grant);
  expect(answer, place).toMatchObject(
    isMadeAnew ? { status: 503, json: { error: 'connection_not_ready' } } : { status: 404 },
  );
  const issued = [...grant.provider.ledger.accessTokens()].filter(([, owner]) => owner === grant.account);
  for (const [token] of issued)
    expect(await grant.provider.server.isActive(token), `${place}: a token lives`).toBe(false);
}
