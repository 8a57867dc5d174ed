import * as oauth from 'oauth4webapi';
import { scopeParameter } from '../domain/connection.ts';
import type { TokenSet } from '../domain/token-set.ts';
import type { OAuthClient, TokenExchange } from '../ports/authorization-server.ts';
import { clientOf, serverOf } from './server-metadata.ts';
import { extraTokenParameters, type Request } from './token-request.ts';

const grantType = 'urn:ietf:params:oauth:grant-type:token-exchange';

/**
 * Exchanges somebody's token for another (RFC 8693 section 2.1). What the administrator has set for the connection goes
 * before what the caller asks for.
 */
export async function exchangeToken(request: Request, client: OAuthClient, exchange: TokenExchange): Promise<TokenSet> {
  const { scopeSeparator, scopes } = client.config;
  const scope = scopeParameter({ scopes: exchange.scopes ?? scopes, scopeSeparator });
  const { tokenSet } = await request({
    client,
    grantType: 'token_exchange',
    secrets: [exchange.subjectToken],
    send: (authentication, options) =>
      oauth.genericTokenEndpointRequest(
        serverOf(client),
        clientOf(client),
        authentication,
        grantType,
        {
          subject_token: exchange.subjectToken.reveal(),
          subject_token_type: exchange.subjectTokenType,
          ...given({
            requested_token_type: exchange.requestedTokenType,
            audience: exchange.audience,
            resource: exchange.resource,
            scope: scope ?? null,
          }),
          ...extraTokenParameters(client),
        },
        options,
      ),
  });
  return { ...tokenSet, tokens: { ...tokenSet.tokens, refreshToken: null } };
}

function given(parameters: Readonly<Record<string, string | null>>): Record<string, string> {
  return Object.fromEntries(Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== null));
}
