import * as oauth from 'oauth4webapi';
import { BrokerError } from '../domain/errors.ts';
import type { Tokens } from '../domain/grant.ts';
import type { Secret } from '../domain/secret.ts';
import type { OAuthClient } from '../ports/authorization-server.ts';
import { clientAuthentication, type SigningKey } from './client-authentication.ts';
import { callProvider, type Transport } from './provider-call.ts';
import { isSuccess } from './response-normaliser.ts';
import { clientOf, serverOf } from './server-metadata.ts';

/**
 * Revokes a grant at the provider (RFC 7009): the refresh token, then the access token, within one time limit.
 * Resolves to whether the provider accepted the first of them, with which the grant ends; false where it cannot.
 */
export async function revokeTokens(
  transport: Transport,
  signingKey: SigningKey | undefined,
  client: OAuthClient,
  tokens: Tokens,
): Promise<boolean> {
  const endpoint = client.config.endpoints.revocationUrl;
  if (endpoint === null) return false;
  const signal = transport.timeLimit();

  const authentication = () => clientAuthentication(client, signingKey);
  const revoke = async (token: Secret, hint: string): Promise<boolean> => {
    const { status } = await callProvider(
      transport,
      endpoint,
      (options) =>
        oauth.revocationRequest(serverOf(client), clientOf(client), authentication(), token.reveal(), {
          ...options,
          additionalParameters: { token_type_hint: hint },
        }),
      signal,
    );
    return isSuccess(status);
  };

  const { refreshToken, accessToken } = tokens;
  let isRevoked: boolean | undefined;
  try {
    if (refreshToken !== null) isRevoked = await revoke(refreshToken, 'refresh_token');
    if (accessToken !== null) {
      const isAccessRevoked = await revoke(accessToken, 'access_token');
      isRevoked ??= isAccessRevoked;
    }
  } catch (error) {
    // A provider that does not answer is not waited for twice.
    if (!(error instanceof BrokerError)) throw error;
  }
  return isRevoked ?? false;
}
