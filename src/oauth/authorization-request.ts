import * as oauth from 'oauth4webapi';
import { scopeList, scopeParameter } from '../domain/connection.ts';
import { isAuthorizationParameter } from '../domain/reserved-parameters.ts';
import type { AuthorizationRequest, OAuthClient } from '../ports/authorization-server.ts';

const verifierPattern = /^[A-Za-z0-9._~-]{43,128}$/;

/**
 * The provider's authorization page with every parameter but `state` (RFC 6749 section 4.1.1), with PKCE by S256
 * (RFC 7636) always. What `extraAuthorizeParams` says about a parameter that is Bowline's has no effect.
 */
export async function buildAuthorizationUrl(client: OAuthClient, request: AuthorizationRequest): Promise<string> {
  const { config, profile } = client;
  const { authorizationUrl } = config.endpoints;
  const verifier = request.codeVerifier.reveal();
  if (authorizationUrl === null) throw new Error('the connection has no authorization URL');
  if (!verifierPattern.test(verifier)) throw new Error('the code verifier must have 43 to 128 unreserved characters');

  const url = new URL(authorizationUrl);
  url.hash = '';
  const parameters = url.searchParams;
  for (const name of new Set(parameters.keys())) if (isAuthorizationParameter(name)) parameters.delete(name);
  for (const [name, value] of Object.entries({ ...profile.requests.authorizeParams, ...config.extraAuthorizeParams })) {
    if (!isAuthorizationParameter(name)) parameters.set(name, value);
  }

  const scope = scopeParameter({ scopes: request.scopes, scopeSeparator: config.scopeSeparator });
  const isOpenId = scopeList(request.scopes).includes('openid');
  const own: Readonly<Record<string, string | null | undefined>> = {
    response_type: 'code',
    client_id: config.clientId,
    redirect_uri: request.redirectUri,
    scope,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    nonce: isOpenId ? request.nonce.reveal() : null,
    login_hint: request.loginHint,
    prompt: request.prompt,
  };
  const { renamedParams } = profile.requests;
  for (const [name, value] of Object.entries(own)) {
    if (value != null) parameters.set(renamedParams[name] ?? name, value);
  }
  return url.href;
}
