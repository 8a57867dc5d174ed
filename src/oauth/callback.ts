import * as oauth from 'oauth4webapi';
import { BrokerError } from '../domain/errors.ts';
import type { StatusReason } from '../domain/grant.ts';
import type { Secret } from '../domain/secret.ts';
import type { CodeRedemption, OAuthClient } from '../ports/authorization-server.ts';
import { describeProviderError } from './provider-text.ts';
import { clientOf, serverOf } from './server-metadata.ts';

const protocolParameters = [
  'state',
  'code',
  'iss',
  'error',
  'error_description',
  'error_uri',
  'response',
  'id_token',
  'access_token',
];

/** How providers say that a person refused. */
const denials = new Set([
  'access_denied',
  'authorization_denied',
  'consent_denied',
  'user_cancelled',
  'user_cancelled_authorize',
  'user_cancelled_login',
  'user_denied',
]);

/**
 * Checks a callback's parameters (RFC 6749 section 4.1.2, RFC 9207) and resolves to what oauth4webapi redeems.
 * Throws `callback_rejected`; where the provider itself reported the failure, `extra.status_reason` says which.
 */
export async function checkCallback(
  client: OAuthClient,
  { parameters, state }: Pick<CodeRedemption, 'parameters' | 'state'>,
): Promise<URLSearchParams> {
  const duplicate = protocolParameters.find((name) => parameters.getAll(name).length > 1);
  if (duplicate !== undefined) throw rejected(`The callback gives ${duplicate} more than once. Authorize again.`);
  if (!(await isState(parameters.get('state'), state))) {
    throw rejected('The callback does not belong to this authorization. Authorize again.');
  }
  checkIssuer(client, parameters.get('iss'));
  const error = parameters.get('error');
  if (error !== null && error !== '') throw refused(error, parameters.get('error_description'));
  const code = parameters.get(client.profile.requests.codeParam) ?? '';
  if (code === '') throw rejected('The callback holds no authorization code. Authorize again.');
  // All that is checked goes on, and nothing else: a stray `response` or `id_token` means nothing in this flow.
  const checked = new URLSearchParams({ code, state: state.reveal() });
  return oauth.validateAuthResponse(serverOf(client), clientOf(client), checked, state.reveal());
}

/** Exact, as RFC 9207 section 2.4 wants it: a missing `iss` passes while no metadata says that there must be one. */
function checkIssuer({ config }: OAuthClient, iss: string | null): void {
  const { issuer } = config.endpoints;
  if (issuer !== null && iss !== null && iss !== issuer) {
    throw rejected('The callback comes from another authorization server than the connection names. Check issuer.');
  }
}

/** Digests are compared, so the time that it takes says nothing about the state. */
async function isState(given: string | null, expected: Secret): Promise<boolean> {
  return given !== null && (await sha256(given)) === (await sha256(expected.reveal()));
}

async function sha256(text: string): Promise<string> {
  return Buffer.from(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))).toString('hex');
}

function refused(error: string, description: string | null): BrokerError {
  const isDenial = denials.has(error.trim().toLowerCase());
  return rejected(
    isDenial
      ? 'Access was denied at the provider. Authorize again, and allow the access that is asked for.'
      : 'The provider reported that the authorization failed. Authorize again; if it fails again, check the connection.',
    isDenial ? 'access_denied' : 'authorization_failed',
    describeProviderError({ error, description }),
  );
}

/** A `callback_rejected`, with the status reason that the provider's word gives it. */
export function rejected(message: string, reason?: StatusReason, detail?: string): BrokerError {
  return new BrokerError('callback_rejected', message, {
    ...(reason === undefined ? {} : { extra: { status_reason: reason } }),
    ...(detail === undefined ? {} : { detail }),
  });
}
