import { expect, vi } from 'vitest';
import { collect } from '../../support/collect.ts';
import type { ChaosHost } from './chaos-host.ts';
import { openTable } from './due-index.ts';
import type { World } from './world.ts';

/** A job as the API shows it to a platform caller. */
export interface Job {
  readonly due: number;
  readonly refreshed: number;
  readonly skipped: number;
  readonly failed: number;
  readonly errors: readonly { readonly connection_name: string; readonly code: string }[];
}

/** The ids of the refresh jobs there have been, the oldest first. */
export async function jobIds(world: World): Promise<string[]> {
  const filter = `PartitionKey eq 'refresh' and kind eq 'job'`;
  const rows = await collect(openTable(world, 'OAuthJobs').listEntities({ queryOptions: { filter } }));
  return rows.map(({ rowKey }) => rowKey as string).toReversed();
}

/** Runs the sweep now. Resolves to its job's id when the job has begun. */
export async function sweep(world: World, host: ChaosHost): Promise<string> {
  const before = new Set(await jobIds(world));
  await host.trigger('refreshSweep');
  return vi.waitUntil(async () => (await jobIds(world)).find((id) => !before.has(id)), {
    timeout: 30_000,
    interval: 50,
  });
}

/** Waits until a job has ended. */
export function finishedJob(host: ChaosHost, id: string, timeout = 15_000): Promise<Job> {
  const read = async (): Promise<Job> => {
    const { json } = await host.call('GET', `/api/oauth/refresh_job_status?job_id=${id}`, { org: 'GLOBAL' });
    expect(json).toMatchObject({ state: 'finished' });
    return json;
  };
  return vi.waitFor(read, { timeout, interval: 50 });
}

/** A job that seals everything anew, as the API shows it. */
export async function rekeyStatus(host: ChaosHost, id: string): Promise<Record<string, unknown>> {
  return (await host.call('GET', `/api/oauth/rekey_job_status?job_id=${id}`, { org: 'GLOBAL' })).json;
}

/** Waits until such a job has ended. */
export function finishedRekey(host: ChaosHost, id: string): Promise<Record<string, unknown>> {
  const read = async () => {
    const job = await rekeyStatus(host, id);
    expect(job).toMatchObject({ state: 'finished' });
    return job;
  };
  return vi.waitFor(read, { timeout: 60_000, interval: 50 });
}
