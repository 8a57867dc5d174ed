import * as oauth from 'oauth4webapi';
import { scopeParameter } from '../domain/connection.ts';
import type { TokenSet } from '../domain/token-set.ts';
import type { OAuthClient } from '../ports/authorization-server.ts';
import { jwtBearer } from './jwt-bearer.ts';
import type { Transport } from './provider-call.ts';
import { clientOf, serverOf } from './server-metadata.ts';
import { extraTokenParameters, type Request } from './token-request.ts';

/** Gets a token with what the client alone has, by its connection's flow. */
export function mint(request: Request, transport: Transport, client: OAuthClient): Promise<TokenSet> {
  switch (client.config.flowType) {
    case 'account_credentials':
      return clientCredentials(request, client, 'account_credentials');
    case 'jwt_bearer':
      return jwtBearer(request, transport, client);
    default:
      return clientCredentials(request, client);
  }
}

/** RFC 6749 section 4.4, or the same under a name of the provider's own. */
async function clientCredentials(
  request: Request,
  client: OAuthClient,
  grantType: 'client_credentials' | 'account_credentials' = 'client_credentials',
): Promise<TokenSet> {
  const scope = scopeParameter(client.config);
  const parameters = { ...extraTokenParameters(client), ...(scope === undefined ? {} : { scope }) };
  const { tokenSet } = await request({
    client,
    grantType,
    secrets: [],
    send: (authentication, options) =>
      oauth.genericTokenEndpointRequest(
        serverOf(client),
        clientOf(client),
        authentication,
        grantType,
        parameters,
        options,
      ),
  });
  return withoutRefreshToken(tokenSet);
}

/** A token that can always be had anew needs none, and a refresh token that nobody uses is only a risk. */
function withoutRefreshToken(tokenSet: TokenSet): TokenSet {
  return { ...tokenSet, tokens: { ...tokenSet.tokens, refreshToken: null } };
}
