import * as oauth from 'oauth4webapi';
import { BrokerError } from '../domain/errors.ts';
import type { Secret } from '../domain/secret.ts';
import type { OAuthClient } from '../ports/authorization-server.ts';
import { callProvider, type ProviderAnswer, type Transport } from './provider-call.ts';
import { tokenHeader } from './request-form.ts';
import { isSuccess } from './response-normaliser.ts';
import { retryAfterSeconds } from './retry-after.ts';
import { nameAt } from './token-response.ts';

/**
 * The account that the userinfo endpoint names: its `sub` (OpenID Connect Core section 5.3), else its `id`. Null where
 * there is no such endpoint or the answer names nobody. Throws `provider_rejected_token` when the token is refused.
 */
export async function accountOfUserinfo(
  transport: Transport,
  client: OAuthClient,
  accessToken: Secret,
): Promise<string | null> {
  const endpoint = client.config.endpoints.userinfoUrl;
  if (endpoint === null) return null;
  const headers = { accept: 'application/json', ...tokenHeader(client, accessToken) };
  const answer = await callProvider(
    transport,
    endpoint,
    ({ [oauth.customFetch]: send }) => send(endpoint, { method: 'GET', headers, redirect: 'manual' }),
    { requests: client.profile.requests },
  );
  if (!isSuccess(answer.status)) throw failure(answer, transport.clock.now());
  return accountOf(answer, client.profile.metadata.userinfoAccountPath);
}

function accountOf(answer: ProviderAnswer, path: string | null): string | null {
  let body: unknown;
  try {
    body = JSON.parse(answer.text);
  } catch {
    throw failure(answer, answer.requestedAt);
  }
  if (path !== null) return nameAt(body, path);
  return nameAt(body, 'sub') ?? nameAt(body, 'id');
}

function failure({ status, headers }: ProviderAnswer, now: number): BrokerError {
  const wait = retryAfterSeconds(headers.get('retry-after'), now);
  const options = { detail: `userinfo, status ${status}`, ...(wait === undefined ? {} : { retryAfterSeconds: wait }) };
  if (status === 401 || status === 403) {
    const message = `The provider's userinfo endpoint refused the token (status ${status}). Check the scopes.`;
    return new BrokerError('provider_rejected_token', message, options);
  }
  if (status === 429 || status >= 500) {
    const message = `The provider's userinfo endpoint cannot answer for now (status ${status}). Try again later.`;
    return new BrokerError('provider_unavailable', message, options);
  }
  const message = `The userinfo endpoint's answer could not be understood (status ${status}). Check userinfo_url.`;
  return new BrokerError('provider_answer_invalid', message, options);
}
