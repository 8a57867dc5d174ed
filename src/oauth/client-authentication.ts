import * as oauth from 'oauth4webapi';
import { BrokerError } from '../domain/errors.ts';
import type { OAuthClient } from '../ports/authorization-server.ts';
import type { Transport } from './provider-call.ts';
import { assertionLife, signingKeyOf } from './signing-key.ts';

/** How long an assertion of the client is good. */
const assertionLifeSeconds = 180;

/**
 * How a client proves who it is at the token and revocation endpoints. Throws `provider_rejected_client` when what
 * the method needs is not there: the provider would reject it, and nothing is sent.
 */
export function clientAuthentication(
  client: OAuthClient,
  transport: Pick<Transport, 'clock' | 'random'>,
): oauth.ClientAuth {
  switch (client.config.clientAuth) {
    case 'none':
      return oauth.None();
    case 'client_secret_basic':
      return oauth.ClientSecretBasic(secretOf(client));
    case 'client_secret_basic_raw':
      return basic(`${client.config.clientId}:${secretOf(client)}`);
    case 'client_secret_basic_as_user':
      return basic(`${secretOf(client)}:`);
    case 'client_secret_post':
      return oauth.ClientSecretPost(secretOf(client));
    case 'private_key_jwt':
      return privateKeyJwt(client, transport);
  }
}

/** HTTP Basic without RFC 6749's percent-encoding (section 2.3.1), for servers that do not decode it. */
function basic(credentials: string): oauth.ClientAuth {
  return (_server, _client, _body, headers) => {
    headers.set('authorization', `Basic ${Buffer.from(credentials).toString('base64')}`);
  };
}

/** RFC 7523 section 2.2. The audience is the issuer where it is known: RFC 7523bis wants that, and all take it. */
function privateKeyJwt(client: OAuthClient, transport: Pick<Transport, 'clock' | 'random'>): oauth.ClientAuth {
  const { issuer, tokenUrl } = client.config.endpoints;
  return async (...request) => {
    const { key, kid } = await signingKeyOf(client);
    const sign = oauth.PrivateKeyJwt(kid === undefined ? key : { key, kid }, {
      [oauth.modifyAssertion]: (_header, payload) => {
        delete payload.nbf;
        Object.assign(payload, assertionLife(transport, assertionLifeSeconds), { aud: issuer ?? tokenUrl });
      },
    });
    await sign(...request);
  };
}

function secretOf({ config, clientSecret }: OAuthClient): string {
  const text = clientSecret?.reveal() ?? '';
  if (text === '') throw unusable(`The connection has no client secret, which ${config.clientAuth} needs. Set one.`);
  return text;
}

function unusable(message: string): BrokerError {
  return new BrokerError('provider_rejected_client', message);
}
