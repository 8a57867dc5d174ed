import type { Connection } from '../../domain/connection.ts';
import { withoutTokens } from '../../domain/grant.ts';
import type { StoredGrant } from '../../ports/grant-store.ts';
import { type AuditTrail, subjectOfGrant } from '../audit/audit-trail.ts';
import type { Dependencies } from '../dependencies.ts';

type Needs = Pick<Dependencies, 'grants' | 'random'> & { readonly audit: Pick<AuditTrail, 'note'> };

/** Whether a user's tokens serve nobody any more: the connection is gone, or has moved to other endpoints. */
export function isDead({ grant }: StoredGrant, connection: Connection | undefined): boolean {
  return connection === undefined || grant.endpointsId !== connection.endpointsId;
}

/**
 * Empties a dead grant of a user, or deletes it when its connection is gone. `connection` must have been read after
 * `stored`: endpoints never come back, so that the grant is dead for as long as it stays what it was. One that was
 * replaced meanwhile is kept.
 */
export async function discardDeadGrant(
  needs: Needs,
  stored: StoredGrant,
  connection: Connection | undefined,
): Promise<'emptied' | 'deleted' | 'kept'> {
  const outcome = await discard(needs, stored, connection);
  if (outcome !== 'kept') {
    const detail = { purge: outcome };
    await needs.audit.note({ ...subjectOfGrant(stored.key), action: 'grant.purge', outcome: 'success', detail });
  }
  return outcome;
}

async function discard(
  { grants, random }: Needs,
  stored: StoredGrant,
  connection: Connection | undefined,
): Promise<'emptied' | 'deleted' | 'kept'> {
  const { generation, endpointsId } = stored.grant;
  const isSame = ({ grant }: StoredGrant) => grant.generation === generation && grant.endpointsId === endpointsId;
  if (connection === undefined) return (await grants.removeUser(stored.key, isSame)) ? 'deleted' : 'kept';
  const next = random.id();
  let isEmptied = false;
  await grants.update(stored.key, (current) => {
    isEmptied = current !== undefined && isSame(current);
    if (!isEmptied || current === undefined) return undefined;
    return { grant: withoutTokens(current.grant, next, connection.endpointsId), tokens: null };
  });
  return isEmptied ? 'emptied' : 'kept';
}
