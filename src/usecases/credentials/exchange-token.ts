import { scopeList } from '../../domain/connection.ts';
import { BrokerError } from '../../domain/errors.ts';
import type { ConnectionName, OrgId, WorkflowId } from '../../domain/ids.ts';
import type { OAuthClient, TokenExchange } from '../../ports/authorization-server.ts';
import { findConnection } from '../connections/find-connection.ts';
import { type WithClientNeeds, withClient } from '../connections/with-client.ts';
import type { Dependencies } from '../dependencies.ts';
import { providerOf } from '../refresh/refresh-grant.ts';
import type { UseWorkflow } from '../workflows/use-workflow.ts';
import type { Credentials } from './credentials.ts';

export interface ExchangeRequest {
  readonly org: OrgId;
  readonly name: ConnectionName;
  readonly workflowId: WorkflowId | null;
  readonly exchange: TokenExchange;
}

export type ExchangeToken = (request: ExchangeRequest) => Promise<Credentials>;

type Needs = WithClientNeeds &
  Pick<Dependencies, 'authorizationServer' | 'gate'> & { readonly useWorkflow: UseWorkflow };

/**
 * Exchanges somebody's token for one of the connection's provider (RFC 8693). Both are other people's: nothing is kept,
 * and no two calls share an answer. Throws `connection_not_found`, `exchange_not_applicable` for other flows,
 * `validation_failed` for scopes that the connection does not have, `workflow_disabled`, `provider_paused`, and a
 * `ProviderErrorCode` when there is no token.
 */
export function createExchangeToken(needs: Needs): ExchangeToken {
  return async ({ org, name, workflowId, exchange }) => {
    const { connection } = await findConnection(needs, { org, name });
    const { flowType, scopes } = connection.config;
    if (flowType !== 'token_exchange') {
      const message = `A connection of type ${flowType} exchanges no tokens. Ask for credentials with GET.`;
      throw new BrokerError('exchange_not_applicable', message);
    }
    assertScopes(scopes, exchange.scopes);
    if (workflowId !== null) await needs.useWorkflow(org, workflowId, connection);
    const call = (client: OAuthClient) => needs.authorizationServer.exchangeToken(client, exchange);
    const exchanged = await needs.gate.run(providerOf(connection), () => withClient(needs, connection, call));
    await exchanged.settleSecret();
    const { tokens, expiresAt, scopes: granted } = exchanged.result;
    if (tokens.accessToken === null) throw new BrokerError('internal_error', 'The access token is missing.');
    return {
      connection: connection.name,
      org: connection.org,
      userId: null,
      accessToken: tokens.accessToken,
      tokenType: tokens.tokenType,
      expiresAt,
      scopes: granted ?? exchange.scopes ?? scopes,
      method: 'token_exchange',
      metadata: tokens.metadata,
    };
  };
}

function assertScopes(known: string | null, wanted: string | null): void {
  const unknown = scopeList(wanted).filter((scope) => !scopeList(known).includes(scope));
  if (unknown.length === 0) return;
  const message = `may name only scopes of the connection, not ${unknown.join(' ')}`;
  throw new BrokerError('validation_failed', `scope ${message}`, { details: [{ path: 'scope', message }] });
}
