import * as oauth from 'oauth4webapi';
import { BrokerError, hasCode } from '../domain/errors.ts';
import type { Tokens } from '../domain/grant.ts';
import type { ProviderRevocation } from '../domain/provider.ts';
import type { RegisteredError } from '../domain/registered-errors.ts';
import type { Secret } from '../domain/secret.ts';
import type { TokenSet } from '../domain/token-set.ts';
import type { OAuthClient } from '../ports/authorization-server.ts';
import { clientAuthentication } from './client-authentication.ts';
import { callProvider, type ProviderAnswer, type RequestOptions, type Transport } from './provider-call.ts';
import { tokenHeader } from './request-form.ts';
import { isSuccess, normaliseAnswer } from './response-normaliser.ts';
import { shapeOf } from './response-shape.ts';
import { clientOf, serverOf } from './server-metadata.ts';

type TokenKind = 'refresh_token' | 'access_token';

/**
 * Revokes a grant at the provider, by RFC 7009 or in the provider's own way: the refresh token, then the access token,
 * within one time limit. Where only access tokens can be revoked and this one is refused, as a lapsed one is, the refresh
 * token gets another one for it. Resolves to whether the provider accepted the first of them, with which the grant ends;
 * false where it cannot. Throws `provider_unavailable` when nothing came back, or only that it is to be asked again
 * later, `provider_answer_invalid` when what came back cannot be read, `url_not_allowed` when nothing was sent to where
 * the endpoint leads now, and `provider_rejected_client`.
 */
export async function revokeTokens(
  transport: Transport,
  client: OAuthClient,
  tokens: Tokens,
  refresh: (refreshToken: Secret) => Promise<Pick<TokenSet, 'tokens'>>,
): Promise<boolean> {
  if (await revokeAsTheyAre(transport, client, tokens)) return true;
  const { revocation, endpoints } = { ...client.profile, ...client.config };
  const { refreshToken } = tokens;
  if (endpoints.revocationUrl === null || revocation === null || revocation.style === 'rfc7009') return false;
  if (refreshToken === null) return false;
  try {
    const { accessToken } = (await refresh(refreshToken)).tokens;
    return await revokeAsTheyAre(transport, client, { accessToken, refreshToken: null });
  } catch (error) {
    if (!(error instanceof BrokerError) || isForAnotherTime(error)) throw error;
    return false;
  }
}

async function revokeAsTheyAre(
  transport: Transport,
  client: OAuthClient,
  tokens: Pick<Tokens, 'accessToken' | 'refreshToken'>,
): Promise<boolean> {
  const endpoint = client.config.endpoints.revocationUrl;
  const { revocation, requests } = client.profile;
  if (endpoint === null || revocation === null) return false;
  const signal = transport.timeLimit();

  const revoke = async (token: Secret, kind: TokenKind): Promise<boolean> => {
    const send = senders[revocation.style]({ transport, client, endpoint, token, kind, method: revocation.method });
    const format = revocation.bodyFormat ?? requests.bodyFormat;
    const answer = await callProvider(transport, endpoint, send, {
      signal,
      requests: { ...requests, bodyFormat: format },
    });
    return isAccepted(client, revocation, answer);
  };

  const { accessToken } = tokens;
  // Only RFC 7009 knows refresh tokens: the others end the grant by its access token.
  const refreshToken = revocation.style === 'rfc7009' ? tokens.refreshToken : null;
  let isRevoked: boolean | undefined;
  try {
    if (refreshToken !== null) isRevoked = await revoke(refreshToken, 'refresh_token');
    if (accessToken !== null) {
      const isAccessRevoked = await revoke(accessToken, 'access_token');
      isRevoked ??= isAccessRevoked;
    }
  } catch (error) {
    // A provider that does not answer is not waited for twice.
    if (!(error instanceof BrokerError) || (isRevoked === undefined && isForAnotherTime(error))) throw error;
  }
  return isRevoked ?? false;
}

/** The status alone does not say it: some answer errors with 200. Nothing has to be said in words. */
function isAccepted(client: OAuthClient, { style }: ProviderRevocation, answer: ProviderAnswer): boolean {
  const { status, headers, text } = answer;
  const contentType = headers.get('content-type');
  const read = normaliseAnswer({ status, contentType, text }, shapeOf(client.profile.answers));
  const registered = read.kind === 'error' ? read.said.registered : null;
  const detail = registered === null ? `status ${status}` : `status ${status}, ${registered}`;
  if (isPassing(status) || (registered !== null && passingErrors.has(registered))) {
    throw new BrokerError('provider_unavailable', 'The provider cannot revoke for now.', { detail });
  }
  // By `bearer` the token speaks for itself: a 401 is about it.
  const isClientsFault = registered === 'invalid_client' || (status === 401 && registered !== 'invalid_grant');
  if (style !== 'bearer' && isClientsFault) {
    throw new BrokerError('provider_rejected_client', 'The provider rejected the client.', { detail });
  }
  return isSuccess(status) && read.kind !== 'error';
}

const passingErrors: ReadonlySet<RegisteredError> = new Set(['server_error', 'temporarily_unavailable', 'slow_down']);

/** The provider has not said what became of the token. */
function isForAnotherTime(error: BrokerError): boolean {
  return hasCode(
    error,
    'provider_unavailable',
    'provider_answer_invalid',
    'url_not_allowed',
    'provider_rejected_client',
  );
}

/** RFC 7009 section 2.2.1, and what every server may say when it has too much to do. */
function isPassing(status: number): boolean {
  return status >= 500 || [408, 425, 429].includes(status);
}

interface Revocation {
  readonly client: OAuthClient;
  readonly transport: Transport;
  readonly endpoint: string;
  readonly token: Secret;
  readonly kind: TokenKind;
  readonly method: ProviderRevocation['method'];
}

type Sender = (revocation: Revocation) => (options: RequestOptions) => Promise<Response>;

const senders: Readonly<Record<ProviderRevocation['style'], Sender>> = {
  rfc7009:
    ({ transport, client, token, kind }) =>
    (options) =>
      oauth.revocationRequest(
        serverOf(client),
        clientOf(client),
        clientAuthentication(client, transport),
        token.reveal(),
        { ...options, additionalParameters: { token_type_hint: kind } },
      ),
  bearer:
    ({ client, endpoint, method, token }) =>
    ({ [oauth.customFetch]: send }) =>
      send(endpoint, {
        method,
        headers: { accept: 'application/json', ...tokenHeader(client, token) },
        redirect: 'manual',
      }),
  client_json:
    ({ client, endpoint, method, token }) =>
    ({ [oauth.customFetch]: send }) =>
      send(endpoint.replaceAll('{client_id}', encodeURIComponent(client.config.clientId)), {
        method,
        headers: {
          accept: 'application/json',
          'content-type': 'application/json',
          authorization: basic(client.config.clientId, client.clientSecret),
        },
        body: JSON.stringify({ access_token: token.reveal() }),
        redirect: 'manual',
      }),
};

function basic(clientId: string, clientSecret: Secret | null): string {
  return `Basic ${Buffer.from(`${clientId}:${clientSecret?.reveal() ?? ''}`).toString('base64')}`;
}
