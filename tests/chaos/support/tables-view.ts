import { onTestFinished } from 'vitest';
import type { ChaosHost } from './chaos-host.ts';
import { noMessages } from './queue.ts';
import { type Match, type RecordingProxy, startRecordingProxy } from './recording-proxy.ts';
import { describeTableRequest } from './requests.ts';
import type { World } from './world.ts';

/** A way of its own to the world's tables, for some hosts: what its rules hit, is theirs. */
export interface TablesView {
  readonly proxy: RecordingProxy;
  /** Settings of a host that goes this way. It reaches the queue past the proxy. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface TablesViewOptions {
  readonly name: string;
  /** How much later storage says it is; a host corrects its clock by that. Leases of others seem over, then. */
  readonly laterMs?: number;
}

/** Opens it until the test ends. */
export async function openTablesView(world: World, options: TablesViewOptions): Promise<TablesView> {
  const { name, laterMs = 0 } = options;
  const { connectionString, history, random } = world;
  const target = targetOf(connectionString);
  const proxy = await startRecordingProxy({
    name,
    target,
    history,
    random: random.branch(name),
    describe: describeTableRequest,
    dateShiftMs: laterMs,
  });
  onTestFinished(() => proxy.stop());
  return { proxy, environment: { OAuthStorage: connectionString.replace(target, proxy.origin) } };
}

/** Longer than any grant rests after a refresh, and than the reconcile does. */
export const laterDayMs = 25 * 60 * 60 * 1000;

/** Where it is later. */
export interface Later {
  readonly tables: RecordingProxy;
  /** Starts a host for which it is later. It stops when the world does. */
  startHost(environment?: Readonly<Record<string, string>>): Promise<ChaosHost>;
}

export async function openLater(world: World, laterMs: number): Promise<Later> {
  keepFromQueue(world);
  const view = await openTablesView(world, { name: `tables-${laterMs}-later`, laterMs });
  return {
    tables: view.proxy,
    startHost: (environment = {}) => world.startHost({ ...view.environment, ...environment }),
  };
}

/** Starts one host for which it is later. */
export async function startLater(
  world: World,
  laterMs: number,
  environment: Readonly<Record<string, string>> = {},
): Promise<ChaosHost> {
  return (await openLater(world, laterMs)).startHost(environment);
}

/** Settings of a host that goes by the world's own proxy of the tables, but past that of the queue. */
export function pastQueueProxy({ connectionString, tables }: World): Readonly<Record<string, string>> {
  return { OAuthStorage: connectionString.replace(targetOf(connectionString), tables.origin) };
}

/** Settings of a host that goes by a way of its own to the tables, and by the world's proxy to the queue. */
export function withQueueProxy({ queue }: World, { proxy, environment }: TablesView): TablesView {
  const { OAuthStorage = '' } = environment;
  const throughProxy = OAuthStorage.replace(/(?<=QueueEndpoint=)https?:\/\/[^/;]+/, queue.origin);
  return { proxy, environment: { OAuthStorage: throughProxy } };
}

/** Lets the hosts of today find the queue empty, until the world is calmed: what others put there is theirs. */
export function keepFromQueue(world: World): void {
  world.queue.on(isTake, noMessages);
}

const isTake: Match = ({ method, path }) => method === 'GET' && path.includes('/messages');

/** The origin of the table service. */
function targetOf(connectionString: string): string {
  const target = /TableEndpoint=(https?:\/\/[^/;]+)/.exec(connectionString)?.[1];
  if (target === undefined) throw new Error('the connection string names no table service');
  return target;
}
