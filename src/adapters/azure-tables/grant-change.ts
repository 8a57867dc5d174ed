import assert from 'node:assert/strict';
import type { Grant, GrantKey, Tokens } from '../../domain/grant.ts';
import type { Columns } from './columns.ts';
import { noLease, toGrantColumns, toLeaseColumns } from './grant-row.ts';
import type { SealingKeyring } from './sealed-columns.ts';
import { sealTokens } from './sealed-place.ts';

export interface GrantChangeInput {
  readonly grant: Grant;
  readonly tokens?: Tokens | null | undefined;
}

/**
 * The columns that a change outside the refresh path writes. A new generation ends whatever lease there is, so that
 * the holder's outcome is not written over it.
 */
export async function toGrantChangeColumns(
  keyring: SealingKeyring,
  key: GrantKey,
  before: Grant | undefined,
  { grant, tokens }: GrantChangeInput,
): Promise<Columns> {
  const isNewGeneration = grant.generation !== before?.generation;
  // The payload names both: left as it is, it could not be opened any more.
  assert(tokens !== undefined || (!isNewGeneration && grant.seq === before.seq), 'the tokens must be given');
  return {
    ...toGrantColumns(grant),
    ...(isNewGeneration ? toLeaseColumns(noLease) : {}),
    // With a new token set it no longer matters what a vanished holder did.
    ...(grant.seq === before?.seq ? {} : { outcome_unknown: false }),
    ...(tokens === undefined ? {} : await sealTokens(keyring, key, grant, tokens)),
  };
}
