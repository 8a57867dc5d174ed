import type { OrgId } from '../../domain/ids.ts';
import type { ConnectionPage, StoredConnection } from '../../ports/connection-store.ts';
import type { Dependencies } from '../dependencies.ts';

export type ExportConnections = (
  org: OrgId,
  page: { readonly limit: number; readonly continuation: string | null },
) => Promise<ConnectionPage>;

/** What storage gives at once. */
const mostOfPage = 100;

/** An organisation's own connections by name, as many as one import takes. `GLOBAL` exports its own. */
export function createExportConnections({ connections }: Pick<Dependencies, 'connections'>): ExportConnections {
  return async (org, { limit, continuation: start }) => {
    const items: StoredConnection[] = [];
    let continuation = start;
    do {
      const page = await connections.list(org, { limit: Math.min(mostOfPage, limit - items.length), continuation });
      items.push(...page.items);
      continuation = page.continuation;
    } while (continuation !== null && items.length < limit);
    return { items, continuation };
  };
}
