import type { ConnectionConfig } from './connection.ts';
import type { ConnectionName, OrgId } from './ids.ts';
import type { Secret } from './secret.ts';

/**
 * Tokens that were given up here and that the provider did not revoke yet, for it did not answer. With them lies what
 * revoking takes: the connection may be gone. Times are milliseconds since the epoch.
 */
export interface PendingRevocation {
  readonly id: string;
  readonly connectionOrg: OrgId;
  readonly connection: ConnectionName;
  /** The endpoints under which the tokens were given. */
  readonly endpointsId: string;
  readonly createdAt: number;
  readonly attempts: number;
  /** Not before this time is it tried again. */
  readonly nextAt: number;
  readonly config: ConnectionConfig;
  readonly redirectUri: string;
  readonly clientSecret: Secret | null;
  readonly signingKey: Secret | null;
  readonly accessToken: Secret | null;
  readonly refreshToken: Secret | null;
}

/** What is known of one without opening it. */
export type RevocationState = Pick<PendingRevocation, 'id' | 'createdAt' | 'attempts' | 'nextAt'>;

const firstWaitMs = 5 * 60 * 1000;
const longestWaitMs = 12 * 60 * 60 * 1000;
const givenUpAfterMs = 7 * 24 * 60 * 60 * 1000;

/** After one more try that got no answer. Undefined: it is given up, a week after it began. */
export function postponedRevocation(
  { attempts, createdAt }: RevocationState,
  now: number,
): Pick<RevocationState, 'attempts' | 'nextAt'> | undefined {
  if (now - createdAt >= givenUpAfterMs) return undefined;
  return { attempts: attempts + 1, nextAt: now + Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(attempts, 20)) };
}
