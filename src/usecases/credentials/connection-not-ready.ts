import { type Connection, needsPerson } from '../../domain/connection.ts';
import { BrokerError } from '../../domain/errors.ts';
import type { ConnectionStatus, StatusReason } from '../../domain/grant.ts';
import { visibleStatus } from '../../domain/grant-status.ts';
import { needsAdministrator } from '../../domain/grant-transitions.ts';
import type { OrgId, UserId } from '../../domain/ids.ts';
import type { StoredConnection } from '../../ports/connection-store.ts';
import type { StoredGrant } from '../../ports/grant-store.ts';

interface Standing {
  readonly status: ConnectionStatus;
  readonly statusReason: StatusReason | null;
  readonly statusMessage: string | null;
}

/**
 * Says that a connection has no token to give: its status, why, and the call that mends it where a person can.
 * Without a grant it speaks of a user who has not connected yet.
 */
export function connectionNotReady(
  { connection }: StoredConnection,
  stored: StoredGrant | undefined,
  request: { readonly org: OrgId; readonly userId: UserId | null },
  now: number,
): BrokerError {
  const { status, statusReason, statusMessage }: Standing =
    stored === undefined
      ? { status: 'not_connected', statusReason: null, statusMessage: null }
      : visibleStatus(stored.grant, connection.config.flowType, now);
  const isMendable =
    needsPerson(connection.config.flowType) &&
    (request.userId !== null || connection.org === request.org) &&
    !(statusReason !== null && needsAdministrator(statusReason));
  const message = [
    statusMessage ?? defaultMessage(connection, status, isMendable),
    ...adviceFor(connection, request),
  ].join(' ');
  return new BrokerError('connection_not_ready', message, {
    extra: {
      status,
      status_reason: statusReason,
      status_message: statusMessage,
      authorize: isMendable ? { method: 'POST', href: `/api/oauth/connections/${connection.name}/authorize` } : null,
    },
  });
}

/** What an administrator may set so that the organisation is served all the same. */
function adviceFor(
  { config, fallbackApiKeyRef }: Connection,
  { userId }: { readonly userId: UserId | null },
): readonly string[] {
  if (userId !== null) return [];
  const settings = [
    ...(needsPerson(config.flowType) && !config.fallbackClientCredentials ? ['fallback_client_credentials'] : []),
    ...(fallbackApiKeyRef === null ? ['fallback_api_key'] : []),
  ];
  return settings.length === 0 ? [] : [`To be served meanwhile, set ${settings.join(' or ')} of the connection.`];
}

function defaultMessage({ config, name }: Connection, status: ConnectionStatus, isMendable: boolean): string {
  if (config.flowType === 'token_exchange') {
    return `This connection has no token of its own: POST /api/oauth/credentials/${name} with a subject_token.`;
  }
  if (config.flowType === 'api_key') return 'This connection has no key: set api_key.';
  if (status === 'waiting_callback' || status === 'testing')
    return 'The authorization is under way and not finished yet.';
  return isMendable ? 'Nobody has authorized this connection yet.' : 'This connection has no tokens yet.';
}
