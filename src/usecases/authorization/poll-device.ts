import { BrokerError, hasCode } from '../../domain/errors.ts';
import type { Secret } from '../../domain/secret.ts';
import type { Transaction } from '../../domain/transaction.ts';
import type { OAuthClient } from '../../ports/authorization-server.ts';
import { revokeTokens } from '../connections/discard-tokens.ts';
import { withClient } from '../connections/with-client.ts';
import { refreshInProgress } from '../refresh/refresh-in-progress.ts';
import { acceptTokens, beginTesting, placeOf, reasonOf } from './accept-tokens.ts';
import type { FinishedAuthorization } from './callback.ts';
import type { AuthorizationNeeds } from './needs.ts';
import { keepRefused } from './settle-authorization.ts';

/** One question to the provider about a device authorization, as the queue carries it. It holds nothing secret. */
export interface DeviceStep {
  readonly stateHash: string;
  /** Of several messages about the same step one is worked on. */
  readonly step: number;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly intervalSeconds: number;
}

type Needs = AuthorizationNeeds & {
  /** This process is stopping. */
  readonly isDraining: () => boolean;
};

export type PollDevice = (step: DeviceStep & { readonly isRedelivered: boolean }) => Promise<DeviceStep | null>;

/** Queue messages cannot be put off, so that a run waits itself: not for long, for others wait behind it. */
const longestWaitMs = 5000;
/** In pieces: the clock may be put right meanwhile. */
const pieceMs = 250;
/** These say nothing about the authorization: the question is asked again. */
const broughtBackCodes = ['storage_unavailable', 'vault_unavailable', 'refresh_in_progress'] as const;
/** RFC 8628 section 3.5. */
const slowDownSeconds = 5;

/**
 * Asks once whether the person has decided about a device authorization, and finishes it when they have, as a callback
 * does. Resolves to the next step, or null when it has ended: finished, refused, cancelled or lapsed. Throws
 * `storage_unavailable` and `vault_unavailable`, and `refresh_in_progress` when this process is stopping and has not
 * asked yet, for an answer gives tokens once: the queue delivers the message again.
 */
export function createPollDevice(needs: Needs): PollDevice {
  return async ({ isRedelivered, ...current }) => {
    await waitUntil(needs, current.notBefore);
    assertNotDraining(needs);
    const transaction = await needs.transactions.get(current.stateHash);
    if (!transaction?.deviceCode) return null;
    if (needs.clock.now() >= transaction.expiresAt) return lapsed(needs, transaction);
    if (needs.clock.now() < current.notBefore) return current;
    const step = await needs.transactions.takeStep(current.stateHash, { step: current.step, isRedelivered });
    if (step === undefined) return null;
    const slowDown = await ask(needs, transaction, transaction.deviceCode);
    if (slowDown === null) return null;
    const intervalSeconds = current.intervalSeconds + (slowDown ? slowDownSeconds : 0);
    const notBefore = needs.clock.now() + intervalSeconds * 1000;
    return { stateHash: current.stateHash, step, notBefore, intervalSeconds };
  };
}

/** The vault may have taken seconds: an answer that this process does not wait for any more would be lost. */
function assertNotDraining({ isDraining }: Needs): void {
  if (isDraining()) throw refreshInProgress('this process is stopping');
}

async function waitUntil({ clock, isDraining }: Needs, at: number): Promise<void> {
  for (let waitedMs = 0; waitedMs < longestWaitMs && clock.now() < at && !isDraining(); waitedMs += pieceMs) {
    await clock.sleep(Math.min(pieceMs, at - clock.now()));
  }
}

/** Resolves to whether to ask less often, or to null when there is nothing left to ask. */
async function ask(needs: Needs, transaction: Transaction, deviceCode: Secret): Promise<boolean | null> {
  try {
    const key = { org: transaction.connectionOrg, name: transaction.connection };
    const found = await needs.connections.get(key);
    if (found?.connection.endpointsId !== transaction.endpointsId) {
      throw new BrokerError('callback_rejected', 'The connection was changed or deleted meanwhile.');
    }
    const { connection } = found;
    const poll = (as: OAuthClient) => {
      assertNotDraining(needs);
      return needs.authorizationServer.pollDevice(as, deviceCode);
    };
    const { result, client, settleSecret } = await withClient(needs, connection, poll);
    if (result.kind === 'pending') return result.slowDown;
    const { issued } = result;
    await needs.transactions.consume(transaction.stateHash);
    const begun = await beginTesting(needs, transaction).catch(async (error: unknown) => {
      await revokeTokens(needs, connection, issued.tokens, { client, isRefused: true });
      throw error;
    });
    await noteFinished(needs, await acceptTokens(needs, { transaction, client, issued, ...begun }));
    await settleSecret();
  } catch (error) {
    if (!(error instanceof BrokerError) || hasCode(error, ...broughtBackCodes)) throw error;
    needs.logger.warn('authorization_failed', { ...placeOf(transaction), code: error.code, detail: error.detail });
    await needs.transactions.consume(transaction.stateHash);
    await noteFinished(needs, await keepRefused(needs, transaction, reasonOf(error), error.message));
  }
  return null;
}

async function lapsed(needs: AuthorizationNeeds, transaction: Transaction): Promise<null> {
  await needs.transactions.consume(transaction.stateHash);
  const message = 'The code was not entered in time. Authorize again.';
  await noteFinished(needs, await keepRefused(needs, transaction, 'authorization_failed', message));
  return null;
}

/** Nobody's call ends here, which would be recorded by itself. */
function noteFinished({ audit }: AuthorizationNeeds, finished: FinishedAuthorization): Promise<void> {
  const { org, connection, userId } = finished.transaction;
  const outcome = finished.statusReason ?? 'success';
  return audit.note({ action: 'authorization.finish', outcome, org, connection, userId });
}
