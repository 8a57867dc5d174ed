import * as oauth from 'oauth4webapi';
import { BrokerError } from '../domain/errors.ts';
import type { Secret } from '../domain/secret.ts';
import type { OAuthClient } from '../ports/authorization-server.ts';
import { clientAuthentication } from './client-authentication.ts';
import { classifyFailure } from './error-classification.ts';
import { callProvider, type ProviderAnswer, type Transport } from './provider-call.ts';
import { isSuccess, normaliseAnswer } from './response-normaliser.ts';
import { shapeOf } from './response-shape.ts';
import { clientOf, serverOf } from './server-metadata.ts';
import { textOf } from './token-response.ts';

/**
 * Pushes an authorization request (RFC 9126 section 2). Resolves to the address of the provider's page with `client_id`
 * and `request_uri` alone. Throws what `classifyFailure` makes of a refusal.
 */
export async function pushAuthorizationRequest(
  transport: Transport,
  client: OAuthClient,
  page: string,
  state: Secret,
): Promise<string> {
  const { authorizationUrl, pushedAuthorizationUrl: endpoint } = client.config.endpoints;
  if (endpoint === null || authorizationUrl === null) throw new Error('the connection pushes no requests');
  const parameters = new URLSearchParams(new URL(page).search);
  parameters.set('state', state.reveal());
  const authentication = clientAuthentication(client, transport);
  const answer = await callProvider(
    transport,
    endpoint,
    (options) =>
      oauth.pushedAuthorizationRequest(serverOf(client), clientOf(client), authentication, parameters, options),
    { requests: { ...client.profile.requests, bodyFormat: 'form', renamedParams: {} } },
  );
  const requestUri = requestUriOf(answer);
  if (requestUri === null) throw failure(client, answer, [state], transport.clock.now());
  const front = new URL(authorizationUrl);
  front.hash = '';
  const { renamedParams } = client.profile.requests;
  front.searchParams.set(renamedParams.client_id ?? 'client_id', client.config.clientId);
  front.searchParams.set('request_uri', requestUri);
  return front.href;
}

function requestUriOf({ status, text }: ProviderAnswer): string | null {
  if (!isSuccess(status)) return null;
  try {
    return textOf((JSON.parse(text) as { request_uri?: unknown } | null)?.request_uri);
  } catch {
    return null;
  }
}

function failure(client: OAuthClient, answer: ProviderAnswer, sent: readonly Secret[], now: number): BrokerError {
  const { status, headers, text } = answer;
  const normalised = normaliseAnswer(
    { status, contentType: headers.get('content-type'), text },
    shapeOf(client.profile.answers),
  );
  const said = normalised.kind === 'error' ? normalised.said : undefined;
  const secrets = client.clientSecret === null ? sent : [...sent, client.clientSecret];
  const error = classifyFailure({ answer, said, grantType: 'client_credentials', secrets }, now);
  return new BrokerError(error.code, `The authorization request could not be pushed. ${error.message}`, {
    ...(error.detail === undefined ? {} : { detail: error.detail }),
    ...(error.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: error.retryAfterSeconds }),
  });
}
