import * as oauth from 'oauth4webapi';
import { BrokerError } from '../domain/errors.ts';
import type { OAuthClient } from '../ports/authorization-server.ts';

/** The key of `private_key_jwt`, and the name under which the provider knows it. */
export interface SigningKey {
  readonly key: CryptoKey;
  readonly kid?: string;
}

type CryptoKey = oauth.CryptoKey;

/**
 * How a client proves who it is at the token and revocation endpoints. Throws `provider_rejected_client` when what
 * the method needs is not there: the provider would reject it, and nothing is sent.
 */
export function clientAuthentication(client: OAuthClient, signingKey: SigningKey | undefined): oauth.ClientAuth {
  switch (client.config.clientAuth) {
    case 'none':
      return oauth.None();
    case 'client_secret_basic':
      return oauth.ClientSecretBasic(secretOf(client));
    case 'client_secret_basic_raw':
      return rawBasic(secretOf(client));
    case 'client_secret_post':
      return oauth.ClientSecretPost(secretOf(client));
    case 'private_key_jwt':
      return privateKeyJwt(client, signingKey);
  }
}

/** HTTP Basic without RFC 6749's percent-encoding (section 2.3.1), for servers that do not decode it. */
function rawBasic(secret: string): oauth.ClientAuth {
  return (_server, { client_id: id }, _body, headers) => {
    headers.set('authorization', `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`);
  };
}

function privateKeyJwt({ config }: OAuthClient, signingKey: SigningKey | undefined): oauth.ClientAuth {
  if (signingKey === undefined) {
    throw unusable('This broker has no key to sign with, which private_key_jwt needs. Choose another client_auth.');
  }
  const { key, kid } = signingKey;
  return oauth.PrivateKeyJwt(kid === undefined ? key : { key, kid }, {
    [oauth.modifyAssertion]: (_header, payload) => {
      payload.aud = config.endpoints.issuer ?? config.endpoints.tokenUrl;
    },
  });
}

function secretOf({ config, clientSecret }: OAuthClient): string {
  const text = clientSecret?.reveal() ?? '';
  if (text === '') throw unusable(`The connection has no client secret, which ${config.clientAuth} needs. Set one.`);
  return text;
}

function unusable(message: string): BrokerError {
  return new BrokerError('provider_rejected_client', message);
}
