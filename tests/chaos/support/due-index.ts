import { createHash } from 'node:crypto';
import { TableClient } from '@azure/data-tables';
import { expect, vi } from 'vitest';
import type { ChaosHost } from './chaos-host.ts';
import type { ChaosGrant } from './grants.ts';
import type { Match } from './recording-proxy.ts';
import type { World } from './world.ts';

type Named = Pick<ChaosGrant, 'org' | 'connection' | 'userId'>;
type Columns = Readonly<Record<string, unknown>>;

/** An entry, as it lies or as it should lie: the shard beside it follows from the grant. */
export interface Entry {
  readonly grant: string;
  readonly at: number;
  readonly place: string;
}

const hourMs = 60 * 60 * 1000;

/** A table of the product, past every proxy. */
export function openTable({ connectionString }: World, name: string): TableClient {
  return TableClient.fromConnectionString(connectionString, name, { allowInsecureConnection: true });
}

/** The entry that should be there for a grant at a time. */
export function entryOf(grant: Named, at: number): Entry {
  const { org, connection, userId } = grant;
  return entryAt(org, org, connection, userId, at);
}

/** Puts an entry in that names a grant at a time, past every proxy, whether or not the grant is there. */
export async function putEntry(world: World, grant: Named, at: number): Promise<void> {
  const [partitionKey = '', rowKey = ''] = entryOf(grant, at).place.split(' ');
  const { org, connection, userId } = grant;
  const columns = { org, connection_org: org, connection, user_id: userId ?? '', server: 'somewhere' };
  await openTable(world, 'OAuthRefreshDue').createEntity({ partitionKey, rowKey, ...columns });
}

/** Whether a request is about an entry of the due index that names one of these grants. */
export function concernsEntryOf(grants: readonly ChaosGrant[]): Match {
  const hashes = grants.map(({ org, connection, userId }) =>
    digestOf(org, org, connection, userId).toString('base64url'),
  );
  return ({ path, body }) => {
    const text = decodeURIComponent(path) + body;
    return hashes.some((hash) => text.includes(`|${hash}`));
  };
}

/** The entries that lie in the index, by the name of the grant and the time. */
export async function entriesIn(world: World): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const { partitionKey, rowKey, org, connection, user_id } of openTable(
    world,
    'OAuthRefreshDue',
  ).listEntities<Columns>()) {
    const at = Number(rowKey?.split('|')[0]);
    entries.push({ grant: nameOf(org, connection, user_id), at, place: `${partitionKey} ${rowKey}` });
  }
  return entries.toSorted(byPlace);
}

/** The entries that should lie in the index, by what the rows of the grants say. */
export async function entriesWanted(world: World): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const { partitionKey, rowKey, ...row } of openTable(world, 'OAuthConnections').listEntities<Columns>()) {
    entries.push(...wantedBy(row, String(partitionKey), String(partitionKey), String(rowKey), null));
  }
  for await (const row of openTable(world, 'OAuthUserGrants').listEntities<Columns>()) {
    const { org, connection_org, connection, user_id } = row;
    entries.push(...wantedBy(row, String(org), String(connection_org), String(connection), String(user_id)));
  }
  return entries.toSorted(byPlace);
}

/** Expects that the index holds one entry for each grant that has a time, at that time, and nothing else. */
export async function expectConverged(world: World): Promise<void> {
  const [found, wanted] = [await entriesIn(world), await entriesWanted(world)];
  expect(wanted.length, 'there are grants to compare').toBeGreaterThan(0);
  expect(found).toEqual(wanted);
}

/** Ends when a round of the reconcile has ended that began after the call, by a clock on which one may begin. */
export async function reconcile(world: World, host: ChaosHost): Promise<void> {
  const before = await roundOf(world);
  await vi.waitFor(
    async () => {
      await host.trigger('refreshReconcile');
      await vi.waitFor(async () => expect(isLater(await roundOf(world), before)).toBe(true), 1500);
    },
    { timeout: 30_000, interval: 50 },
  );
}

interface Round {
  readonly startedAt: number;
  readonly hasEnded: boolean;
}

/** The round of the reconcile as its checkpoint has it. */
export async function roundOf(world: World): Promise<Round | undefined> {
  for await (const { started_at, ended_at } of openTable(world, 'OAuthJobs').listEntities<Columns>({
    queryOptions: { filter: "PartitionKey eq 'reconcile'" },
  })) {
    return { startedAt: Number(started_at), hasEnded: isTime(ended_at) };
  }
  return undefined;
}

/** A round that was under way before counts as well, once it has ended. */
function isLater(round: Round | undefined, before: Round | undefined): boolean {
  if (round === undefined || !round.hasEnded) return false;
  return before === undefined || !before.hasEnded || round.startedAt > before.startedAt;
}

function wantedBy(row: Columns, org: string, connectionOrg: string, connection: string, userId: string | null) {
  if (!isTime(row.due_at)) return [];
  const failure = row.failure ? JSON.parse(String(row.failure)) : null;
  const at = Math.max(Number(row.due_at), failure?.retryAt ?? 0);
  return [entryAt(connectionOrg, org, connection, userId, at)];
}

/** docs/storage-schema.md says where an entry lies. */
function entryAt(connectionOrg: string, org: string, connection: string, userId: string | null, at: number): Entry {
  const digest = digestOf(connectionOrg, org, connection, userId);
  const shard = String((digest[0] ?? 0) % 16).padStart(2, '0');
  const bucket = String(Math.floor(at / hourMs)).padStart(7, '0');
  const rowKey = `${String(at).padStart(13, '0')}|${digest.toString('base64url')}`;
  return { grant: nameOf(org, connection, userId), at, place: `d${shard}|${bucket} ${rowKey}` };
}

function digestOf(connectionOrg: string, org: string, connection: string, userId: string | null): Buffer {
  return createHash('sha256')
    .update(JSON.stringify([connectionOrg, org, connection, userId]))
    .digest();
}

function nameOf(org: unknown, connection: unknown, userId: unknown): string {
  return `${org}/${connection}/${userId ?? ''}`;
}

/** A time that is not there is kept as a negative number. */
function isTime(value: unknown): boolean {
  return (typeof value === 'bigint' || typeof value === 'number') && value >= 0;
}

function byPlace(one: Entry, other: Entry): number {
  return one.place < other.place ? -1 : Number(one.place > other.place);
}
