import * as oauth from 'oauth4webapi';
import type { OAuthClient } from '../ports/authorization-server.ts';

/** Five minutes, for the clocks of providers and of machines that have only just started. */
const clockToleranceSeconds = 300;

const idTokenAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];

/** A connection's endpoints as oauth4webapi takes them. */
export function serverOf({ config: { endpoints } }: OAuthClient): oauth.AuthorizationServer {
  return {
    // Where the issuer is not known nothing is compared with this: `iss` and ID tokens are dropped before.
    issuer: endpoints.issuer ?? endpoints.tokenUrl,
    token_endpoint: endpoints.tokenUrl,
    ...(endpoints.revocationUrl === null ? {} : { revocation_endpoint: endpoints.revocationUrl }),
    ...(endpoints.introspectionUrl === null ? {} : { introspection_endpoint: endpoints.introspectionUrl }),
    ...(endpoints.userinfoUrl === null ? {} : { userinfo_endpoint: endpoints.userinfoUrl }),
    ...(endpoints.pushedAuthorizationUrl === null
      ? {}
      : { pushed_authorization_request_endpoint: endpoints.pushedAuthorizationUrl }),
    ...(endpoints.deviceAuthorizationUrl === null
      ? {}
      : { device_authorization_endpoint: endpoints.deviceAuthorizationUrl }),
    id_token_signing_alg_values_supported: idTokenAlgorithms,
  };
}

export function clientOf({ config }: OAuthClient): oauth.Client {
  return { client_id: config.clientId, [oauth.clockTolerance]: clockToleranceSeconds };
}
