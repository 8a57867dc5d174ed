import * as oauth from 'oauth4webapi';
import { scopeParameter } from '../domain/connection.ts';
import { BrokerError } from '../domain/errors.ts';
import { Secret } from '../domain/secret.ts';
import type { DeviceAuthorization, DevicePoll, OAuthClient } from '../ports/authorization-server.ts';
import { rejected } from './callback.ts';
import { clientAuthentication } from './client-authentication.ts';
import { classifyFailure } from './error-classification.ts';
import { accountOfIdToken } from './id-token.ts';
import { callProvider, type ProviderAnswer, type Transport } from './provider-call.ts';
import { isSuccess, normaliseAnswer } from './response-normaliser.ts';
import { shapeOf } from './response-shape.ts';
import { clientOf, serverOf } from './server-metadata.ts';
import { askForTokens, extraTokenParameters } from './token-request.ts';
import { textOf } from './token-response.ts';

/** RFC 8628 section 3.2: where the answer does not say. */
const usualIntervalSeconds = 5;
const usualLifeSeconds = 600;
const longestLifeSeconds = 1800;
const longestIntervalSeconds = 60;

/** Begins a device authorization (RFC 8628 section 3.1). Throws what `classifyFailure` makes of a refusal. */
export async function startDevice(
  transport: Transport,
  client: OAuthClient,
  scopes: string | null,
): Promise<DeviceAuthorization> {
  const { config, profile } = client;
  const endpoint = config.endpoints.deviceAuthorizationUrl;
  if (endpoint === null) throw new Error('the connection has no device authorization URL');
  const scope = scopeParameter({ scopes, scopeSeparator: config.scopeSeparator });
  const parameters = { ...extraTokenParameters(client), ...(scope === undefined ? {} : { scope }) };
  const authentication = clientAuthentication(client, transport);
  const answer = await callProvider(
    transport,
    endpoint,
    (options) =>
      oauth.deviceAuthorizationRequest(serverOf(client), clientOf(client), authentication, parameters, options),
    { requests: profile.requests },
  );
  return deviceOf(answer) ?? fail(client, answer, transport.clock.now());
}

function deviceOf({ status, text }: ProviderAnswer): DeviceAuthorization | undefined {
  if (!isSuccess(status)) return undefined;
  let body: Readonly<Record<string, unknown>> | null;
  try {
    body = JSON.parse(text) as typeof body;
  } catch {
    return undefined;
  }
  const deviceCode = textOf(body?.device_code);
  const userCode = textOf(body?.user_code);
  // Some have it as `verification_url`, which is what drafts of the standard called it.
  const verificationUri = linkOf(body?.verification_uri ?? body?.verification_url);
  if (deviceCode === null || userCode === null || verificationUri === null) return undefined;
  return {
    deviceCode: new Secret(deviceCode),
    userCode,
    verificationUri,
    verificationUriComplete: linkOf(body?.verification_uri_complete),
    lifeSeconds: secondsOf(body?.expires_in, usualLifeSeconds, longestLifeSeconds),
    intervalSeconds: secondsOf(body?.interval, usualIntervalSeconds, longestIntervalSeconds),
  };
}

/** People will open it: nothing but a web page will do. */
function linkOf(value: unknown): string | null {
  const text = textOf(value);
  return text !== null && /^https?:$/.test(URL.parse(text)?.protocol ?? '') ? text : null;
}

function secondsOf(value: unknown, usual: number, longest: number): number {
  const seconds = typeof value === 'number' || typeof value === 'string' ? Math.ceil(Number(value)) : Number.NaN;
  return seconds > 0 ? Math.min(seconds, longest) : usual;
}

function fail(client: OAuthClient, answer: ProviderAnswer, now: number): never {
  const { status, headers, text } = answer;
  const normalised = normaliseAnswer(
    { status, contentType: headers.get('content-type'), text },
    shapeOf(client.profile.answers),
  );
  const said = normalised.kind === 'error' ? normalised.said : undefined;
  const secrets = client.clientSecret === null ? [] : [client.clientSecret];
  throw classifyFailure({ answer, said, grantType: 'client_credentials', secrets }, now);
}

/**
 * Asks the token endpoint once (RFC 8628 section 3.4). What says "later" in any way is `pending`. Throws
 * `callback_rejected` when the person refused or the code has lapsed, and what `classifyFailure` makes of the rest.
 */
export async function pollDevice(transport: Transport, client: OAuthClient, deviceCode: Secret): Promise<DevicePoll> {
  let answer: Awaited<ReturnType<typeof askForTokens>>;
  try {
    answer = await askForTokens(transport, {
      client,
      grantType: 'device_code',
      secrets: [deviceCode],
      send: (authentication, options) =>
        oauth.deviceCodeGrantRequest(serverOf(client), clientOf(client), authentication, deviceCode.reveal(), {
          ...options,
          additionalParameters: extraTokenParameters(client),
        }),
    });
  } catch (error) {
    return laterOrThrow(error);
  }
  if (answer.kind === 'failed') return judge(answer.error, answer.failure);
  const { tokenSet: issued, idToken } = answer;
  const { accessToken } = issued.tokens;
  if (idToken === null || accessToken === null) return { kind: 'issued', issued };
  const account = await accountOfIdToken(client, { idToken, accessToken, nonce: null });
  return {
    kind: 'issued',
    issued: { ...issued, tokens: { ...issued.tokens, account: account ?? issued.tokens.account } },
  };
}

function judge(error: string, failure: BrokerError): DevicePoll {
  switch (error) {
    case 'authorization_pending':
      return { kind: 'pending', slowDown: false };
    case 'slow_down':
      return { kind: 'pending', slowDown: true };
    case 'access_denied':
    case 'authorization_declined':
      throw rejected(
        'Access was denied at the provider. Authorize again, and allow the access that is asked for.',
        'access_denied',
      );
    case 'expired_token':
    case 'code_expired':
      throw rejected('The code was not entered in time. Authorize again.', 'authorization_failed');
    default:
      return laterOrThrow(failure);
  }
}

/** Section 3.5: a provider that does not answer is asked less often. */
function laterOrThrow(error: unknown): DevicePoll {
  if (error instanceof BrokerError && error.code === 'provider_unavailable') return { kind: 'pending', slowDown: true };
  throw error;
}
