import * as oauth from 'oauth4webapi';
import { BrokerError } from '../domain/errors.ts';
import type { Secret } from '../domain/secret.ts';
import type { OAuthClient } from '../ports/authorization-server.ts';
import { clientAuthentication } from './client-authentication.ts';
import { callProvider, type Transport } from './provider-call.ts';
import { isSuccess } from './response-normaliser.ts';
import { clientOf, serverOf } from './server-metadata.ts';

/**
 * Asks the provider what a token is worth (RFC 7662). Resolves to its answer, or null where there is no endpoint. Throws
 * `provider_rejected_client` (401), `provider_unavailable` and `provider_answer_invalid`.
 */
export async function introspectToken(
  transport: Transport,
  client: OAuthClient,
  token: Secret,
  kind: 'access_token' | 'refresh_token',
): Promise<Readonly<Record<string, unknown>> | null> {
  const endpoint = client.config.endpoints.introspectionUrl;
  if (endpoint === null) return null;
  const authentication = clientAuthentication(client, transport);
  const { status, text } = await callProvider(
    transport,
    endpoint,
    (options) =>
      oauth.introspectionRequest(serverOf(client), clientOf(client), authentication, token.reveal(), {
        ...options,
        additionalParameters: { token_type_hint: kind },
      }),
    { requests: client.profile.requests },
  );
  if (status === 401) {
    throw new BrokerError('provider_rejected_client', 'The provider rejected the client. Check its secret.');
  }
  if (status >= 500 || status === 429) {
    throw new BrokerError('provider_unavailable', 'The provider cannot answer for now.', {
      detail: `status ${status}`,
    });
  }
  const answer = isSuccess(status) ? parseObject(text) : undefined;
  if (answer !== undefined && typeof answer.active === 'boolean') return answer;
  throw new BrokerError(
    'provider_answer_invalid',
    'The provider’s answer is no introspection. Check introspection_url.',
    {
      detail: `status ${status}`,
    },
  );
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
      ? (parsed as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
