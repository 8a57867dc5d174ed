import type { Connection } from '../../domain/connection.ts';
import { dueAt } from '../../domain/due.ts';
import { emptyGrant, type GrantKey, type StatusReason } from '../../domain/grant.ts';
import { withTokenSet } from '../../domain/grant-transitions.ts';
import type { TokenSet } from '../../domain/token-set.ts';
import type { Transaction } from '../../domain/transaction.ts';
import type { OAuthClient } from '../../ports/authorization-server.ts';
import type { StoredGrant } from '../../ports/grant-store.ts';
import { revokeTokens } from '../connections/discard-tokens.ts';
import { type FinishedAuthorization, keyOf } from './callback.ts';
import type { AuthorizationNeeds } from './needs.ts';

/**
 * Replaces the grant by what the code was redeemed for, unless the authorization was cancelled, replaced or its
 * connection changed in the meantime: then the new tokens are given up.
 */
export async function keepAuthorized(
  needs: AuthorizationNeeds,
  transaction: Transaction,
  { connection, client }: { readonly connection: Connection; readonly client: OAuthClient },
  key: GrantKey,
  issued: TokenSet,
): Promise<FinishedAuthorization> {
  const generation = needs.random.id();
  const { requestedAt, expiresAt, tokens } = issued;
  const token = { issuedAt: requestedAt, expiresAt, hasRefreshToken: tokens.refreshToken !== null };
  const due = dueAt(token, needs.policy, needs.random.fraction(), client.profile.lives);
  let isKept = false;
  await needs.grants.update(key, (current) => {
    isKept = isStillPending(current, transaction);
    if (!isKept || current === undefined) return undefined;
    const base = { ...emptyGrant(generation, transaction.endpointsId), seq: current.grant.seq };
    const scopes = issued.scopes ?? transaction.scopes;
    return { grant: withTokenSet(base, { ...issued, scopes }, due), tokens };
  });
  if (!isKept) {
    await revokeTokens(needs, connection, tokens, { client, isRefused: true });
    needs.audit.about({ outcome: 'authorization_failed' });
    const message = 'The authorization was cancelled, replaced by a newer one, or the connection was changed.';
    return { transaction, status: 'failed', statusReason: 'authorization_failed', message };
  }
  return {
    transaction,
    status: 'completed',
    statusReason: null,
    message: 'The connection is ready. You can close this page.',
  };
}

/** Ends the pending authorization without a grant. A grant that works stays; one that does not shows why. */
export async function keepRefused(
  needs: AuthorizationNeeds,
  transaction: Transaction,
  reason: StatusReason,
  message: string,
): Promise<FinishedAuthorization> {
  needs.audit.about({ outcome: reason });
  await needs.grants.update(keyOf(transaction), (current) => {
    if (current === undefined || !isStillPending(current, transaction)) return undefined;
    const settled = { ...current.grant, pending: null };
    if (settled.status === 'completed') return { grant: settled };
    return { grant: { ...settled, status: 'failed', statusReason: reason, statusMessage: message } };
  });
  return { transaction, status: 'failed', statusReason: reason, message };
}

function isStillPending(current: StoredGrant | undefined, { stateHash, endpointsId }: Transaction): boolean {
  return current?.grant.pending?.stateHash === stateHash && current.grant.endpointsId === endpointsId;
}
