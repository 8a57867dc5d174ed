import * as oauth from 'oauth4webapi';
import { BrokerError } from '../domain/errors.ts';
import type { Secret } from '../domain/secret.ts';
import type { OAuthClient, ProbeResult } from '../ports/authorization-server.ts';
import { callProvider, type Transport } from './provider-call.ts';
import { tokenHeader } from './request-form.ts';
import { isSuccess } from './response-normaliser.ts';

/**
 * Calls the connection's test endpoint with the token. Null where there is none. Says `rejected` only when the
 * provider refused the token, and `forbidden` when the token may not read that endpoint: anything else that goes wrong
 * leaves it `unclear`.
 */
export async function probeToken(
  transport: Transport,
  client: OAuthClient,
  accessToken: Secret,
): Promise<ProbeResult | null> {
  const endpoint = client.config.endpoints.testUrl;
  if (endpoint === null) return null;
  const headers = { accept: 'application/json', ...tokenHeader(client, accessToken) };
  try {
    const { status } = await callProvider(
      transport,
      endpoint,
      ({ [oauth.customFetch]: send }) => send(endpoint, { method: 'GET', headers, redirect: 'manual' }),
      { requests: client.profile.requests },
    );
    return resultOf(status);
  } catch (error) {
    if (error instanceof BrokerError) return { outcome: 'unclear', message: error.message };
    throw error;
  }
}

function resultOf(status: number): ProbeResult {
  if (isSuccess(status)) return { outcome: 'accepted', message: `The provider accepted the token (status ${status}).` };
  if (status === 401 || status === 403) {
    const advice = status === 401 ? 'Authorize again.' : 'Check the scopes.';
    return {
      outcome: status === 401 ? 'rejected' : 'forbidden',
      message: `The provider refused the token (status ${status}). ${advice}`,
    };
  }
  return { outcome: 'unclear', message: `The test endpoint answered with status ${status}. Check test_url.` };
}
