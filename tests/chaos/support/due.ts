import pLimit from 'p-limit';
import { collect } from '../../support/collect.ts';
import type { ChaosHost } from './chaos-host.ts';
import { entriesIn, openTable } from './due-index.ts';
import { type ChaosGrant, createConnection, type OrgOf } from './grants.ts';
import type { Provider } from './provider.ts';
import type { World } from './world.ts';

const importsAtOnce = 16;
const ofOneConnection = 8;
const hourMs = 3_600_000;

/** A setting of hosts whose timer should not fire by itself while a test runs: it fires half a day from now. */
export function quietSchedule(): { readonly REFRESH_SCHEDULE: string } {
  const then = new Date(Date.now() + 12 * hourMs);
  return { REFRESH_SCHEDULE: `0 ${then.getUTCMinutes()} ${then.getUTCHours()} * * *` };
}

/**
 * A setting of hosts whose timer runs every half hour, as it does by default, but not before 29 minutes from now: grants
 * are due by the same rules as in real life.
 */
export function halfHourlySchedule(): { readonly REFRESH_SCHEDULE: string } {
  const minute = new Date().getUTCMinutes() % 30;
  return { REFRESH_SCHEDULE: `0 ${minute},${minute + 30} * * * *` };
}

interface ManyGrants {
  readonly prefix: string;
  readonly count: number;
  readonly provider: Provider;
  /** Default: all are ORG1's. */
  readonly orgOf?: OrgOf;
}

/**
 * Makes many grants at one provider, eight of each name: the connection's own and seven users'. Their access tokens
 * are none of the provider's; their refresh tokens are. None of them is due.
 */
export async function importMany(
  world: World,
  hosts: readonly ChaosHost[],
  { prefix, count, provider, orgOf = () => 'ORG1' }: ManyGrants,
): Promise<ChaosGrant[]> {
  const limit = pLimit(importsAtOnce);
  const grants = Array.from({ length: count }, (_, index): ChaosGrant => {
    const org = orgOf(index);
    const connection = `${prefix}-${Math.floor(index / ofOneConnection)}`;
    const userId = index % ofOneConnection === 0 ? null : `user-${index}`;
    return { org, connection, userId, provider, account: `${org}/${connection}/${userId ?? ''}` };
  });
  const hostAt = (index: number) => hosts[index % hosts.length] as ChaosHost;
  const places = new Map(grants.map(({ org, connection }) => [`${org}/${connection}`, { org, connection }]));
  const create = ({ org, connection }: Pick<ChaosGrant, 'org' | 'connection'>, at: number) =>
    limit(() => createConnection(hostAt(at), provider, connection, org));
  await Promise.all([...places.values()].map(create));
  await Promise.all(grants.map((grant, at) => limit(() => importTokens(hostAt(at), grant))));
  world.history.note('test', 'imported', { prefix, count });
  return grants;
}

async function importTokens(host: ChaosHost, { org, connection, userId, provider, account }: ChaosGrant) {
  const body = {
    access_token: `imported-${account}`,
    refresh_token: await provider.mint(account),
    expires_at: new Date(Date.now() + 10 * 60_000).toISOString(),
    user_id: userId,
  };
  const imported = await host.call('POST', `/api/oauth/connections/${connection}/tokens`, { org, body });
  if (imported.status !== 200) throw new Error(`not imported: ${imported.text}`);
}

/** Lets grants have been due for a while, past every proxy: their rows and their entries in the index. */
export async function makeDue(world: World, grants: readonly ChaosGrant[], agoMs = 60_000): Promise<void> {
  const limit = pLimit(importsAtOnce);
  const index = openTable(world, 'OAuthRefreshDue');
  const entries = Map.groupBy(await collect(index.listEntities()), accountOf);
  const moveOne = async (grant: ChaosGrant): Promise<void> => {
    const at = Date.now() - agoMs;
    const [entry, ...others] = entries.get(grant.account) ?? [];
    if (entry === undefined || others.length > 0) throw new Error(`${grant.account}: not exactly one entry`);
    await world.grants.setDue(grant, at);
    await index.createEntity({ ...movedTo(entry, at), ...columnsOf(entry) });
    await index.deleteEntity(entry.partitionKey as string, entry.rowKey as string);
  };
  await Promise.all(grants.map((grant) => limit(() => moveOne(grant))));
}

/** The accounts whose time has come by the index. */
export async function dueAccounts(world: World): Promise<string[]> {
  const entries = await entriesIn(world);
  return entries.filter(({ at }) => at <= Date.now()).map(({ grant }) => grant);
}

function accountOf({ org, connection, user_id }: Readonly<Record<string, unknown>>): string {
  return `${org}/${connection}/${user_id}`;
}

function movedTo({ partitionKey = '', rowKey = '' }: { partitionKey?: string; rowKey?: string }, at: number) {
  return {
    partitionKey: `${partitionKey.slice(0, 4)}${String(Math.floor(at / hourMs)).padStart(7, '0')}`,
    rowKey: `${at}${rowKey.slice(13)}`,
  };
}

function columnsOf({ org, connection_org, connection, user_id, server }: Readonly<Record<string, unknown>>) {
  return { org, connection_org, connection, user_id, server };
}
