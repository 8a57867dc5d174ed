import type { ProviderRequests } from '../domain/provider.ts';
import type { Secret } from '../domain/secret.ts';
import type { OAuthClient } from '../ports/authorization-server.ts';

/** A request as oauth4webapi makes it. */
export interface SentRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly headers: Record<string, string>;
  readonly body?: URLSearchParams | string | null | undefined;
  readonly redirect: 'manual';
}

/** A request as the provider wants it: its own headers, its names for parameters, its format of the body. */
export function inProvidersForm(request: SentRequest, requests: ProviderRequests): SentRequest {
  const headers = { ...request.headers, ...lowerCased(requests.headers) };
  const { body } = request;
  if (!(body instanceof URLSearchParams)) return { ...request, headers };
  const renamed = [...body].map(([name, value]) => [requests.renamedParams[name] ?? name, value] as [string, string]);
  if (requests.bodyFormat === 'form') return { ...request, headers, body: new URLSearchParams(renamed) };
  return {
    ...request,
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(Object.fromEntries(renamed)),
  };
}

/** An access token as the provider's API wants it (RFC 6750 section 2.1, unless the provider has its own way). */
export function tokenHeader({ profile }: OAuthClient, accessToken: Secret): Record<string, string> {
  const { name, prefix } = profile.requests.tokenHeader;
  return { [name.toLowerCase()]: `${prefix}${accessToken.reveal()}` };
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
