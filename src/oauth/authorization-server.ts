import * as oauth from 'oauth4webapi';
import type { Tokens } from '../domain/grant.ts';
import { Secret } from '../domain/secret.ts';
import type { TokenSet } from '../domain/token-set.ts';
import type { AuthorizationServer, CodeRedemption, OAuthClient } from '../ports/authorization-server.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import { buildAuthorizationUrl } from './authorization-request.ts';
import { checkCallback } from './callback.ts';
import { pollDevice, startDevice } from './device-flow.ts';
import { discoverEndpoints } from './discovery.ts';
import { accountOfIdToken } from './id-token.ts';
import { introspectToken } from './introspection.ts';
import { mint } from './mint.ts';
import { probeToken } from './probe.ts';
import type { Fetch, Transport } from './provider-call.ts';
import { pushAuthorizationRequest } from './pushed-request.ts';
import { revokeTokens } from './revocation.ts';
import { clientOf, serverOf } from './server-metadata.ts';
import { exchangeToken } from './token-exchange.ts';
import { extraTokenParameters, type Request, requestTokens, type TokenRequest } from './token-request.ts';
import { accountOfUserinfo } from './userinfo.ts';

export interface AuthorizationServerOptions {
  /** The guarded client. Its `BrokerError`s pass as they are. */
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly random: Pick<Random, 'id'>;
  /** Endpoints on http://127.0.0.1 or localhost are allowed. */
  readonly allowInsecureLoopback: boolean;
  /** Begins the time that a method may take. Without it the limit is that of `fetch`, for each request. */
  readonly timeLimit?: () => AbortSignal;
}

/** The provider's side of OAuth, on oauth4webapi. */
export function createAuthorizationServer(options: AuthorizationServerOptions): AuthorizationServer {
  const { timeLimit = unlimited } = options;
  const transport: Transport = { ...options, timeLimit };
  const request = (tokenRequest: TokenRequest) => requestTokens(transport, tokenRequest);

  return {
    authorizationUrl: buildAuthorizationUrl,
    pushAuthorization: (client, page, state) => pushAuthorizationRequest(transport, client, page, state),
    startDevice: (client, scopes) => startDevice(transport, client, scopes),
    pollDevice: (client, deviceCode) => pollDevice(transport, client, deviceCode),
    exchangeToken: (client, exchange) => exchangeToken(request, client, exchange),
    redeemCode: (client, redemption) => redeemCode(request, client, redemption),
    refresh: (client, refreshToken) => refresh(request, client, refreshToken),
    mint: (client) => mint(request, transport, client),
    revoke: (client, tokens) => revoke(transport, client, tokens),
    introspect: (client, token, kind) => introspectToken(transport, client, token, kind),
    account: (client, accessToken) => accountOfUserinfo(transport, client, accessToken),
    discover: (issuer) => discoverEndpoints(transport, issuer),
    probe: (client, accessToken) => probeToken(transport, client, accessToken),
  };
}

/** All its requests share one time limit. */
function revoke(transport: Transport, client: OAuthClient, tokens: Tokens): Promise<boolean> {
  const signal = transport.timeLimit();
  const limited: Transport = { ...transport, timeLimit: () => signal };
  const request = (tokenRequest: TokenRequest) => requestTokens(limited, tokenRequest);
  return revokeTokens(limited, client, tokens, (refreshToken) => refresh(request, client, refreshToken));
}

/** A signal that never fires. */
function unlimited(): AbortSignal {
  return new AbortController().signal;
}

async function redeemCode(request: Request, client: OAuthClient, redemption: CodeRedemption): Promise<TokenSet> {
  const { redirectUri, codeVerifier, nonce } = redemption;
  const callback = await checkCallback(client, redemption);
  const { tokenSet: issued, idToken } = await request({
    client,
    grantType: 'authorization_code',
    secrets: [codeVerifier, new Secret(callback.get('code') ?? '')],
    send: (authentication, options) =>
      oauth.authorizationCodeGrantRequest(
        serverOf(client),
        clientOf(client),
        authentication,
        callback,
        redirectUri,
        codeVerifier.reveal(),
        { ...options, additionalParameters: extraTokenParameters(client) },
      ),
  });
  const tokenSet = withCallbackMetadata(client, issued, redemption.parameters);
  const { accessToken } = tokenSet.tokens;
  if (idToken === null || accessToken === null) return tokenSet;
  const account = await accountOfIdToken(client, { idToken, accessToken, nonce });
  return { ...tokenSet, tokens: { ...tokenSet.tokens, account: account ?? tokenSet.tokens.account } };
}

const longestCallbackValue = 200;

/** What the provider says only in its redirect, as some name the account there. */
function withCallbackMetadata(
  { profile }: OAuthClient,
  { tokens, ...issued }: TokenSet,
  parameters: URLSearchParams,
): TokenSet {
  const said = Object.entries(profile.metadata.fromCallback).flatMap(([parameter, name]) => {
    const value = parameters.get(parameter);
    return value === null || value.length > longestCallbackValue ? [] : [[name, value]];
  });
  return { ...issued, tokens: { ...tokens, metadata: { ...tokens.metadata, ...Object.fromEntries(said) } } };
}

async function refresh(request: Request, client: OAuthClient, refreshToken: Secret): Promise<TokenSet> {
  const { refreshUrl, tokenUrl } = client.config.endpoints;
  const endpoint = refreshUrl ?? tokenUrl;
  const server = { ...serverOf(client), token_endpoint: endpoint };
  const repeated = client.profile.requests.repeatsRedirectUri ? { redirect_uri: client.redirectUri } : {};
  const { tokenSet } = await request({
    client,
    grantType: 'refresh_token',
    secrets: [refreshToken],
    endpoint,
    send: (authentication, options) =>
      oauth.refreshTokenGrantRequest(server, clientOf(client), authentication, refreshToken.reveal(), {
        ...options,
        additionalParameters: { ...extraTokenParameters(client), ...repeated },
      }),
  });
  return tokenSet;
}
