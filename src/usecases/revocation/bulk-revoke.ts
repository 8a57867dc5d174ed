import type { AuditOutcome } from '../../domain/audit.ts';
import { isSharedWith } from '../../domain/connection.ts';
import { BrokerError } from '../../domain/errors.ts';
import { GLOBAL, type OrgId, type UserId } from '../../domain/ids.ts';
import type { StoredConnection } from '../../ports/connection-store.ts';
import type { StoredGrant } from '../../ports/grant-store.ts';
import { type AuditTrail, subjectOfGrant } from '../audit/audit-trail.ts';
import { type Disconnected, type DisconnectNeeds, dropGrant } from '../connections/disconnect.ts';
import { grantKeyOf } from '../connections/find-connection.ts';

export interface BulkRevocation {
  readonly org: OrgId;
  /** Null: whatever it is. The filters are joined by "and". */
  readonly connection: string | null;
  readonly provider: string | null;
  readonly userId: UserId | null;
  /** Who made the connection. */
  readonly createdBy: string | null;
  /** Only says what would be done. */
  readonly isDryRun: boolean;
  readonly limit: number;
  readonly continuation: string | null;
}

export interface RevokedGrant {
  readonly found: StoredConnection;
  readonly org: OrgId;
  readonly userId: UserId | null;
  /** `pending`: dropped here, and the provider will be asked again. `dropped`: the provider cannot, or did not confirm. */
  readonly result: 'would_revoke' | 'revoked' | 'pending' | 'dropped';
}

export interface BulkRevoked {
  readonly grants: readonly RevokedGrant[];
  readonly pendingIds: readonly string[];
  readonly continuation: string | null;
}

type Needs = DisconnectNeeds & { readonly audit: Pick<AuditTrail, 'recordFor'> };

export type BulkRevoke = (request: BulkRevocation) => Promise<BulkRevoked>;

/** A provider that hangs takes 8 s a grant: a call of 50 grants ends within the platform's limit. */
const atOnce = 5;
/** A search that finds little looks at no more pages for one answer. */
const mostPages = 50;

/**
 * For an incident: drops the tokens of every grant that fits, and has the provider revoke them. It covers the grants
 * that lie in the organisation, those through connections of `GLOBAL` included; for `GLOBAL` itself, the grants of
 * every organisation through its connections. Each that is dropped has a record in its own organisation. It ends after
 * `limit` grants, and goes on with the continuation. Throws `validation_failed` for a continuation that is none of
 * ours, and `audit_unavailable`.
 */
export function createBulkRevoke(needs: Needs): BulkRevoke {
  return async (request) => {
    const grants: RevokedGrant[] = [];
    const pendingIds: string[] = [];
    let cursor: Cursor | null = parseCursor(request);
    for (let page = 0; page < mostPages && cursor !== null && grants.length < request.limit; page += 1) {
      const { items, next }: Page = await readPage(needs, request, cursor, request.limit - grants.length);
      for (let at = 0; at < items.length; at += atOnce) {
        const some = await Promise.all(items.slice(at, at + atOnce).map((item) => revokeOne(needs, request, item)));
        grants.push(...some.map(({ grant }) => grant));
        pendingIds.push(...some.flatMap(({ pendingId }) => (pendingId === null ? [] : [pendingId])));
      }
      cursor = next;
    }
    return { grants, pendingIds, continuation: cursor === null ? null : formatCursor(cursor) };
  };
}

interface Item {
  readonly found: StoredConnection;
  readonly stored: StoredGrant;
}

async function revokeOne(needs: Needs, { isDryRun }: BulkRevocation, { found, stored }: Item) {
  const { org, userId } = stored.key;
  const place = { found, org, userId };
  if (isDryRun) return { grant: { ...place, result: 'would_revoke' } as const, pendingId: null };
  const { isRevoked, pendingId } = (await dropAndRecord(needs, { found, stored })).revocation;
  const result = isRevoked ? 'revoked' : pendingId === null ? 'dropped' : 'pending';
  return { grant: { ...place, result } as const, pendingId };
}

/** What fails may have dropped the tokens all the same. */
async function dropAndRecord(needs: Needs, { found, stored: { key } }: Item): Promise<Disconnected> {
  const record = (outcome: AuditOutcome) =>
    needs.audit.recordFor({
      ...subjectOfGrant(key),
      action: 'grant.disconnect',
      outcome,
      detail: key.connectionOrg === key.org ? {} : { connection_org: key.connectionOrg },
    });
  let disconnected: Disconnected;
  try {
    disconnected = await dropGrant(needs, found, key, true);
  } catch (error) {
    await record(error instanceof BrokerError ? error.code : 'internal_error');
    throw error;
  }
  if (disconnected.isDropped) await record('success');
  return disconnected;
}

/**
 * Where a search stands: in the connections of the organisation or those of `GLOBAL`, and in the users of one of them;
 * for `GLOBAL`, in the users of all organisations.
 */
interface Cursor {
  readonly part: 'own' | 'shared' | 'everybody';
  readonly connections: string | null;
  readonly users: string | null;
}

interface Page {
  readonly items: readonly Item[];
  readonly next: Cursor | null;
}

function readPage(needs: DisconnectNeeds, request: BulkRevocation, cursor: Cursor, room: number): Promise<Page> {
  return cursor.part === 'everybody'
    ? everybodysPage(needs, request, cursor, room)
    : connectionsPage(needs, request, cursor, room);
}

/** One connection, and a page of its users. */
async function connectionsPage(
  needs: DisconnectNeeds,
  request: BulkRevocation,
  cursor: Cursor,
  room: number,
): Promise<Page> {
  const org = cursor.part === 'own' ? request.org : GLOBAL;
  const page = await needs.connections.list(org, { limit: 1, continuation: cursor.connections });
  const [found] = page.items;
  const next = page.continuation === null ? nextPart(cursor, request) : restOf(cursor.part, page.continuation);
  if (found === undefined || !fits(found, request)) return { items: [], next };
  // The users of all organisations come afterwards.
  const users =
    request.org === GLOBAL ? { items: [], continuation: null } : await usersPage(needs, request, found, cursor, room);
  const isOwnWanted = cursor.part === 'own' && cursor.users === null && request.userId === null;
  const stored = [...(isOwnWanted ? [found.own] : []), ...users.items].filter(holdsTokens);
  const items = stored.map((each) => ({ found, stored: each }));
  return { items, next: users.continuation === null ? next : { ...cursor, users: users.continuation } };
}

async function usersPage(
  { grants }: DisconnectNeeds,
  { org, userId }: BulkRevocation,
  found: StoredConnection,
  { users: continuation }: Cursor,
  room: number,
) {
  if (userId === null) return grants.listUsers(found.connection, org, { limit: Math.min(room, 100), continuation });
  const stored = await grants.read(grantKeyOf(found, org, userId));
  return { items: stored === undefined ? [] : [stored], continuation: null };
}

async function everybodysPage(
  needs: DisconnectNeeds,
  request: BulkRevocation,
  cursor: Cursor,
  room: number,
): Promise<Page> {
  for await (const page of needs.grants.walkUsers(cursor.users, { limit: Math.min(room, 100) })) {
    const ofGlobal = page.items.filter(
      ({ key, ...stored }) =>
        key.connectionOrg === GLOBAL &&
        (request.userId === null || key.userId === request.userId) &&
        holdsTokens({ key, ...stored }),
    );
    const items: Item[] = [];
    for (const stored of ofGlobal) {
      const found = await needs.connections.get({ org: GLOBAL, name: stored.key.connection });
      if (found !== undefined && fits(found, request)) items.push({ found, stored });
    }
    return { items, next: page.cursor === null ? null : { ...cursor, users: page.cursor } };
  }
  return { items: [], next: null };
}

function holdsTokens({ grant }: StoredGrant): boolean {
  return grant.hasTokens || grant.hasRefreshToken;
}

function fits(
  { connection }: StoredConnection,
  { org, connection: name, provider, createdBy }: BulkRevocation,
): boolean {
  return (
    (connection.org === org || isSharedWith(connection, org)) &&
    (name === null || connection.name === name) &&
    (provider === null || connection.config.provider === provider) &&
    (createdBy === null || connection.createdBy === createdBy)
  );
}

function restOf(part: Cursor['part'], connections: string | null): Cursor {
  return { part, connections, users: null };
}

function nextPart({ part }: Cursor, { org }: BulkRevocation): Cursor | null {
  if (part !== 'own') return null;
  return restOf(org === GLOBAL ? 'everybody' : 'shared', null);
}

function formatCursor(cursor: Cursor): string {
  return Buffer.from(JSON.stringify([cursor.part, cursor.connections, cursor.users])).toString('base64url');
}

function parseCursor({ continuation, org }: BulkRevocation): Cursor {
  if (continuation === null) return restOf('own', null);
  const isText = (value: unknown) => value === null || typeof value === 'string';
  try {
    const [part, connections, users] = JSON.parse(Buffer.from(continuation, 'base64url').toString()) as unknown[];
    const isOurs = part === 'own' || part === (org === GLOBAL ? 'everybody' : 'shared');
    if (isOurs && isText(connections) && isText(users)) return { part, connections, users } as Cursor;
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
  }
  const message = 'is not a continuation of this call';
  throw new BrokerError('validation_failed', `continuation ${message}`, {
    details: [{ path: 'continuation', message }],
  });
}
