import { BrokerError, hasCode } from '../../domain/errors.ts';
import { type PendingRevocation, postponedRevocation, type RevocationState } from '../../domain/revocation.ts';
import type { OAuthClient } from '../../ports/authorization-server.ts';
import { profileOf } from '../connections/profile-of.ts';
import { withClient } from '../connections/with-client.ts';
import type { Dependencies } from '../dependencies.ts';

export type RevocationOutcome = 'revoked' | 'refused' | 'postponed' | 'given_up' | 'gone';

export type WorkRevocation = (id: string) => Promise<RevocationOutcome>;

type Needs = Pick<
  Dependencies,
  'clock' | 'connections' | 'revocations' | 'vault' | 'providers' | 'policy' | 'authorizationServer' | 'logger'
>;

/**
 * Tries a revocation again. Revoking twice does no harm, so that a message may come twice. It ends with the provider's
 * answer, unless that rejects the client, or a week after it began. Whatever else goes wrong puts it off, also the vault:
 * it may be this connection's secret alone that cannot be read. Throws `storage_unavailable`, and `misconfigured` when
 * the encryption keys cannot be used: the queue brings the message back.
 */
export function createWorkRevocation(needs: Needs): WorkRevocation {
  return async (id) => {
    const { revocations, clock, logger } = needs;
    const state = await revocations.state(id);
    if (state === undefined) return 'gone';
    if (state.nextAt > clock.now()) return 'postponed';
    try {
      const pending = await revocations.open(id);
      if (pending === undefined) return 'gone';
      const { connectionOrg: org, connection, accessToken, refreshToken } = pending;
      const tokens = { accessToken, refreshToken, tokenType: 'Bearer', account: null, metadata: {} };
      const isRevoked = await asItsClient(needs, pending, (client) => needs.authorizationServer.revoke(client, tokens));
      logger[isRevoked ? 'info' : 'warn'](isRevoked ? 'revoked_later' : 'revocation_refused', { org, connection });
      await revocations.remove(id);
      return isRevoked ? 'revoked' : 'refused';
    } catch (error) {
      if (!(error instanceof BrokerError) || hasCode(error, 'storage_unavailable', 'misconfigured')) throw error;
      return putOff(needs, state, error);
    }
  };
}

/** Where the connection is still what it was, its secret may have been replaced since. */
async function asItsClient(
  needs: Needs,
  pending: PendingRevocation,
  revoke: (client: OAuthClient) => Promise<boolean>,
): Promise<boolean> {
  const found = await needs.connections.get({ org: pending.connectionOrg, name: pending.connection });
  if (found?.connection.endpointsId === pending.endpointsId) {
    return (await withClient(needs, found.connection, revoke)).result;
  }
  const { config, redirectUri, clientSecret, signingKey } = pending;
  return revoke({ config, profile: profileOf(needs, config), redirectUri, clientSecret, signingKey });
}

async function putOff(
  { revocations, clock, logger }: Needs,
  state: RevocationState,
  cause: BrokerError,
): Promise<RevocationOutcome> {
  const next = postponedRevocation(state, clock.now());
  if (next !== undefined) {
    await revocations.postpone(state.id, next);
    logger.warn('revocation_postponed', { id: state.id, attempts: next.attempts, cause });
    return 'postponed';
  }
  logger.error('revocation_given_up', { id: state.id, attempts: state.attempts, cause });
  await revocations.remove(state.id);
  return 'given_up';
}

const mostAtOnce = 500;

/** The revocations that a sweep puts on the queue. */
export function createDueRevocations({ revocations, clock }: Pick<Dependencies, 'revocations' | 'clock'>) {
  return (): Promise<readonly string[]> => revocations.due(clock.now(), mostAtOnce);
}
