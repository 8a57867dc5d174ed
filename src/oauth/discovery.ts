import * as oauth from 'oauth4webapi';
import type { Endpoints } from '../domain/connection.ts';
import { BrokerError } from '../domain/errors.ts';
import { callProvider, type Transport } from './provider-call.ts';
import { isSuccess } from './response-normaliser.ts';

/**
 * Reads an issuer's metadata: OpenID Connect Discovery, then RFC 8414. The issuer that it names must be the one asked,
 * to the character (RFC 8414 section 3.3). Throws `provider_answer_invalid` or `provider_unavailable`.
 */
export async function discoverEndpoints(transport: Transport, issuer: string): Promise<Endpoints> {
  const signal = transport.timeLimit();
  for (const algorithm of ['oidc', 'oauth2'] as const) {
    const answer = await callProvider(
      transport,
      issuer,
      (options) => oauth.discoveryRequest(new URL(issuer), { ...options, algorithm }),
      { signal },
    );
    if (answer.status === 429 || answer.status >= 500) {
      throw new BrokerError('provider_unavailable', `The issuer cannot answer for now (status ${answer.status}).`);
    }
    if (isSuccess(answer.status)) return endpointsOf(issuer, answer.text);
  }
  throw unusable('has no metadata: give token_url and the other endpoints');
}

function endpointsOf(issuer: string, text: string): Endpoints {
  const metadata = parse(text);
  if (metadata.issuer !== issuer) throw unusable('names another issuer in its metadata');
  const url = (name: string): string | null => {
    const value = metadata[name];
    return typeof value === 'string' && value !== '' ? value : null;
  };
  const tokenUrl = url('token_endpoint');
  if (tokenUrl === null) throw unusable('names no token endpoint in its metadata');
  return {
    issuer,
    tokenUrl,
    authorizationUrl: url('authorization_endpoint'),
    refreshUrl: null,
    revocationUrl: url('revocation_endpoint'),
    introspectionUrl: url('introspection_endpoint'),
    userinfoUrl: url('userinfo_endpoint'),
    testUrl: url('userinfo_endpoint'),
    deviceAuthorizationUrl: url('device_authorization_endpoint'),
    pushedAuthorizationUrl: url('pushed_authorization_request_endpoint'),
  };
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return { ...parsed };
  } catch {
    // Told below.
  }
  throw unusable('answers with something else than metadata');
}

function unusable(what: string): BrokerError {
  return new BrokerError('provider_answer_invalid', `The issuer ${what}. Check issuer.`);
}
