import type { Caller } from '../../domain/caller.ts';
import type { ConnectionKey } from '../../domain/connection.ts';
import { BrokerError, hasCode } from '../../domain/errors.ts';
import type { UserId } from '../../domain/ids.ts';
import { livesLongEnough } from '../../domain/token-life.ts';
import type { StoredConnection } from '../../ports/connection-store.ts';
import type { StoredGrant } from '../../ports/grant-store.ts';
import { connectionNotReady } from '../credentials/connection-not-ready.ts';
import type { Dependencies } from '../dependencies.ts';
import type { GrantRefresher } from '../refresh/refresh-grant.ts';
import { type ConnectionQuery, findConnectionToChange, readGrant } from './find-connection.ts';
import { oauthClient } from './oauth-client.ts';
import { profileOf } from './profile-of.ts';

export interface TestOutcome {
  readonly result: 'success' | 'failed' | 'skipped';
  readonly message: string;
  readonly testedAt: number;
}

export type TestConnection = (
  request: ConnectionQuery & { readonly caller: Caller; readonly userId: UserId | null },
) => Promise<TestOutcome>;

type Needs = Pick<
  Dependencies,
  'clock' | 'connections' | 'grants' | 'vault' | 'providers' | 'authorizationServer' | 'policy'
> & {
  readonly refresher: GrantRefresher;
};

const leaseWaitMs = 10_000;

/**
 * Gets a token as a workflow would and calls the provider's test endpoint with it. What goes wrong on the provider's
 * side, or with the grant, is the outcome and not a failure. A `GLOBAL` connection is not written for the test of one
 * organisation's user. Throws `connection_not_found`,
 * `storage_unavailable`, `vault_unavailable`.
 */
export function createTestConnection(needs: Needs): TestConnection {
  return async (request) => {
    const found = await findConnectionToChange(needs, request);
    const testedAt = needs.clock.now();
    const outcome = await runTest(needs, request, found);
    if (found.connection.org === request.org) await rememberTest(needs, found.connection, testedAt);
    return { ...outcome, testedAt };
  };
}

async function rememberTest({ connections }: Needs, key: ConnectionKey, testedAt: number): Promise<void> {
  await connections.update(key, ({ connection }) => ({ connection: { ...connection, lastTestAt: testedAt } }));
}

async function runTest(
  needs: Needs,
  request: Parameters<TestConnection>[0],
  found: StoredConnection,
): Promise<Omit<TestOutcome, 'testedAt'>> {
  try {
    const stored = await liveToken(needs, request, found);
    const accessToken = (await needs.grants.open(stored))?.accessToken;
    if (!accessToken) throw new BrokerError('grant_unreadable', 'The connection holds no access token.');
    const probe = await needs.authorizationServer.probe(await oauthClient(needs, found.connection), accessToken);
    if (probe === null)
      return { result: 'skipped', message: 'There is a token. The connection has no test_url to try it at.' };
    return { result: probe.outcome === 'accepted' ? 'success' : 'failed', message: probe.message };
  } catch (error) {
    if (hasCode(error, 'storage_unavailable', 'vault_unavailable')) throw error;
    if (error instanceof BrokerError) return { result: 'failed', message: error.message };
    throw error;
  }
}

async function liveToken(
  needs: Needs,
  request: Parameters<TestConnection>[0],
  found: StoredConnection,
): Promise<StoredGrant> {
  const stored = await readGrant(needs, found, request.org, request.userId);
  if (stored === undefined) throw connectionNotReady(found, undefined, request, needs.clock.now());
  const wanted = { seconds: needs.policy.credentialMinTtlSeconds, isExplicit: false };
  const { refreshMarginSeconds } = profileOf(needs, found.connection.config).lives;
  const isFresh = ({ grant }: StoredGrant) => livesLongEnough(grant, wanted, needs.clock.now(), refreshMarginSeconds);
  if (isFresh(stored)) return stored;
  try {
    return (await needs.refresher.refresh({ connection: found.connection, stored, isFresh, waitMs: leaseWaitMs }))
      .stored;
  } catch (error) {
    if (error instanceof BrokerError && error.code === 'connection_not_ready') {
      throw connectionNotReady(found, stored, request, needs.clock.now());
    }
    throw error;
  }
}
