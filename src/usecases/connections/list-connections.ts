import { isSharedWith } from '../../domain/connection.ts';
import { BrokerError } from '../../domain/errors.ts';
import type { ConnectionStatus } from '../../domain/grant.ts';
import { visibleStatus } from '../../domain/grant-status.ts';
import { GLOBAL, type OrgId } from '../../domain/ids.ts';
import type { StoredConnection } from '../../ports/connection-store.ts';
import type { Dependencies } from '../dependencies.ts';

export interface ConnectionListing {
  readonly org: OrgId;
  readonly includeGlobal: boolean;
  readonly status: ConnectionStatus | null;
  /** A provider of the catalogue, by its id. Connections that name their endpoints themselves belong to none. */
  readonly provider: string | null;
  /** Part of a name, a description or a tag; case does not matter. */
  readonly search: string | null;
  readonly limit: number;
  readonly continuation: string | null;
}

export interface ListedConnections {
  readonly items: readonly StoredConnection[];
  readonly continuation: string | null;
}

export type ListConnections = (request: ConnectionListing) => Promise<ListedConnections>;

/** A search that finds little reads at most this many pages for one answer; the continuation goes on from there. */
const mostPages = 10;

/**
 * Lists an organisation's connections by name, then those of `GLOBAL` that are shared with it. A page may hold fewer
 * than `limit` and still have a continuation. Throws `validation_failed` for a continuation that is none of ours.
 */
export function createListConnections(needs: Pick<Dependencies, 'clock' | 'connections'>): ListConnections {
  return async (request) => {
    const items: StoredConnection[] = [];
    let cursor: string | null = request.continuation ?? cursorOf('own', null);
    for (let page = 0; page < mostPages && cursor !== null && items.length < request.limit; page += 1) {
      const { part, continuation } = parseCursor(cursor);
      const org: OrgId = part === 'own' ? request.org : GLOBAL;
      const found = await needs.connections.list(org, { limit: request.limit - items.length, continuation });
      items.push(...found.items.filter((item) => matches(item, request, needs.clock.now())));
      cursor = found.continuation === null ? nextPart(part, request) : cursorOf(part, found.continuation);
    }
    return { items, continuation: cursor };
  };
}

type Part = 'own' | 'global';

function matches({ connection, own }: StoredConnection, request: ConnectionListing, now: number): boolean {
  if (connection.org !== request.org && !isSharedWith(connection, request.org)) return false;
  const { config } = connection;
  if (request.provider !== null && config.provider !== request.provider) return false;
  if (request.status !== null && visibleStatus(own.grant, config.flowType, now).status !== request.status) return false;
  const wanted = request.search?.toLowerCase();
  const texts = [connection.name, config.description ?? '', ...config.tags];
  return wanted === undefined || texts.some((text) => text.toLowerCase().includes(wanted));
}

function nextPart(part: Part, { includeGlobal, org }: ConnectionListing): string | null {
  return part === 'own' && includeGlobal && org !== GLOBAL ? cursorOf('global', null) : null;
}

function cursorOf(part: Part, continuation: string | null): string {
  return `${part}.${continuation ?? ''}`;
}

function parseCursor(cursor: string): { readonly part: Part; readonly continuation: string | null } {
  const [part, continuation] = cursor.split('.', 2);
  if (part !== 'own' && part !== 'global') {
    const message = 'is not a continuation of this listing';
    throw new BrokerError('validation_failed', `continuation ${message}`, {
      details: [{ path: 'continuation', message }],
    });
  }
  return { part, continuation: continuation === undefined || continuation === '' ? null : continuation };
}
