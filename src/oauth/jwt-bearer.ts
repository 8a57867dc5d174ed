import { SignJWT } from 'jose';
import * as oauth from 'oauth4webapi';
import { scopeParameter } from '../domain/connection.ts';
import type { ProviderJwt } from '../domain/provider.ts';
import { fillTemplate } from '../domain/provider-templates.ts';
import { Secret } from '../domain/secret.ts';
import type { TokenSet } from '../domain/token-set.ts';
import type { OAuthClient } from '../ports/authorization-server.ts';
import type { Transport } from './provider-call.ts';
import { clientOf, serverOf } from './server-metadata.ts';
import { assertionLife, signingKeyOf } from './signing-key.ts';
import { extraTokenParameters, type Request } from './token-request.ts';

const grantType = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/**
 * Gets a token for an assertion that the client signs (RFC 7523 section 2.1), or with it as the authorization itself.
 * Throws `provider_rejected_client` when the client has no key.
 */
export async function jwtBearer(request: Request, transport: Transport, client: OAuthClient): Promise<TokenSet> {
  const jwt = client.profile.jwt ?? usualJwt(client);
  const assertion = await sign(transport, client, jwt);
  const { tokenSet } = await request({
    client,
    grantType: 'jwt_bearer',
    secrets: [assertion],
    authenticatesClient: jwt.authenticatesClient,
    send: jwt.style === 'bearer' ? sendAsBearer(client, assertion) : sendAsGrant(client, jwt, assertion),
  });
  return { ...tokenSet, tokens: { ...tokenSet.tokens, refreshToken: null } };
}

/** What RFC 7523 section 3 suggests for a provider that nobody described. */
function usualJwt({ config: { clientAuth, endpoints } }: OAuthClient): ProviderJwt {
  return {
    style: 'assertion',
    algorithm: 'RS256',
    issuer: '{client_id}',
    subject: '{client_id}',
    audience: endpoints.issuer ?? endpoints.tokenUrl,
    scopesIn: 'parameter',
    authenticatesClient: clientAuth !== 'none',
    lifeSeconds: 300,
  };
}

async function sign(transport: Transport, client: OAuthClient, jwt: ProviderJwt): Promise<Secret> {
  const { key, algorithm, kid } = await signingKeyOf(client);
  const fill = (template: string) => fillTemplate(template, { client_id: client.config.clientId });
  const scope = jwt.scopesIn === 'claim' ? scopeParameter(client.config) : undefined;
  const claims = {
    iss: fill(jwt.issuer),
    ...(jwt.subject === null ? {} : { sub: fill(jwt.subject) }),
    aud: fill(jwt.audience),
    ...(scope === undefined ? {} : { scope }),
    ...assertionLife(transport, jwt.lifeSeconds),
  };
  const header = { alg: algorithm, typ: 'JWT', ...(kid === undefined ? {} : { kid }) };
  return new Secret(await new SignJWT(claims).setProtectedHeader(header).sign(key));
}

type Send = Parameters<Request>[0]['send'];

function sendAsGrant(client: OAuthClient, jwt: ProviderJwt, assertion: Secret): Send {
  const scope = jwt.scopesIn === 'parameter' ? scopeParameter(client.config) : undefined;
  const parameters = {
    ...extraTokenParameters(client),
    ...(scope === undefined ? {} : { scope }),
    assertion: assertion.reveal(),
  };
  return (authentication, options) =>
    oauth.genericTokenEndpointRequest(
      serverOf(client),
      clientOf(client),
      authentication,
      grantType,
      parameters,
      options,
    );
}

function sendAsBearer(client: OAuthClient, assertion: Secret): Send {
  return (_authentication, { [oauth.customFetch]: send }) =>
    send(client.config.endpoints.tokenUrl, {
      method: 'POST',
      headers: {
        accept: 'application/json',
        'content-type': 'application/json',
        authorization: `Bearer ${assertion.reveal()}`,
      },
      body: JSON.stringify(extraTokenParameters(client)),
      redirect: 'manual',
    });
}
