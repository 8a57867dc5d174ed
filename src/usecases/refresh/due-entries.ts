import { sweepAt } from '../../domain/due.ts';
import { serverOf } from '../../domain/grant.ts';
import type { DueEntry } from '../../ports/due-index.ts';
import type { StoredGrant } from '../../ports/grant-store.ts';
import type { Dependencies } from '../dependencies.ts';

type Needs = Pick<Dependencies, 'grants' | 'dueIndex'>;
type EntryPlace = Pick<DueEntry, 'key' | 'at'>;

/** Whether a grant, as it was read, stands behind an entry. */
export function isBehind(stored: StoredGrant | undefined, at: number): boolean {
  return stored !== undefined && sweepAt(stored.grant) === at;
}

/** Puts the entry of a grant in where it is missing. Resolves to whether it was. */
export async function putMissingEntry(needs: Needs, stored: StoredGrant): Promise<boolean> {
  const at = sweepAt(stored.grant);
  if (at === null) return false;
  const isNew = await needs.dueIndex.insert({ key: stored.key, at, server: serverOf(stored.grant) });
  // The grant may have changed since it was read, and then its writer has found nothing here to remove.
  return isNew && !(await dropStaleEntry(needs, { key: stored.key, at }));
}

/**
 * Puts the entry of a grant in for one that it does not stand behind. A stale entry may be all that a crash between
 * row and index has left of the grant there, so that it goes last.
 */
export async function replaceEntry(needs: Needs, stale: EntryPlace, stored: StoredGrant | undefined): Promise<void> {
  if (stored !== undefined) await putMissingEntry(needs, stored);
  await dropEntry(needs, stale);
}

/** Removes an entry unless its grant, which is read again, stands behind it. Resolves to whether it was removed. */
export async function dropStaleEntry(needs: Needs, place: EntryPlace): Promise<boolean> {
  if (isBehind(await needs.grants.read(place.key), place.at)) return false;
  return dropEntry(needs, place);
}

/**
 * Removes an entry that no grant stood behind a moment ago. The grant is looked at once more afterwards: one that has
 * come back to this very time meanwhile found its entry there and wrote none. Resolves to whether it stays removed.
 */
async function dropEntry(needs: Needs, place: EntryPlace): Promise<boolean> {
  await needs.dueIndex.remove(place);
  const stored = await needs.grants.read(place.key);
  if (stored === undefined || !isBehind(stored, place.at)) return true;
  await needs.dueIndex.insert({ ...place, server: serverOf(stored.grant) });
  return false;
}
