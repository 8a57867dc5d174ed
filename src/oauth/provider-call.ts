import * as oauth from 'oauth4webapi';
import { BrokerError } from '../domain/errors.ts';
import { type ProviderRequests, unknownProfile } from '../domain/provider.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import { inProvidersForm, type SentRequest } from './request-form.ts';

/** The guarded client, as the protocol client needs it. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** How the protocol client reaches providers. */
export interface Transport {
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly random: Pick<Random, 'id'>;
  /** Endpoints on http://127.0.0.1 or localhost are allowed. */
  readonly allowInsecureLoopback: boolean;
  /** Begins the time that one method of the protocol client may take. */
  readonly timeLimit: () => AbortSignal;
}

/** What every request function of oauth4webapi takes. */
export interface RequestOptions {
  readonly [oauth.customFetch]: (url: string, init: SentRequest) => Promise<Response>;
  readonly [oauth.allowInsecureRequests]: boolean;
  readonly signal: AbortSignal;
}

/** An answer that was read whole. */
export interface ProviderAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** When the request was about to be sent. */
  readonly requestedAt: number;
}

export interface CallOptions {
  /** Default: a time limit of its own. */
  readonly signal?: AbortSignal;
  /** How the provider wants its requests. */
  readonly requests?: ProviderRequests;
}

const loopbackHosts = new Set(['127.0.0.1', 'localhost', '[::1]']);

/**
 * Sends one request and reads the whole answer, whatever its status. Throws `url_not_allowed` when the endpoint is
 * not https, `provider_unavailable` when nothing comes back in time, and what the guarded client throws.
 */
export async function callProvider(
  transport: Transport,
  endpoint: string,
  send: (options: RequestOptions) => Promise<Response>,
  { signal = transport.timeLimit(), requests = unknownProfile.requests }: CallOptions = {},
): Promise<ProviderAnswer> {
  const isInsecure = checkEndpoint(transport, endpoint);
  const requestedAt = transport.clock.now();
  const options = {
    [oauth.customFetch]: (url: string, request: SentRequest) => {
      const { method, headers, redirect, body = null } = inProvidersForm(request, requests);
      return settled(transport.fetch(url, { method, headers, redirect, body, signal }), signal);
    },
    [oauth.allowInsecureRequests]: isInsecure,
    signal,
  };
  const response = await send(options);
  const text = await settled(response.text(), signal);
  return { status: response.status, headers: response.headers, text, requestedAt };
}

/** The limit holds for a fetch that ignores its signal, too; and whatever breaks on the way has one code. */
async function settled<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } catch (error) {
    if (error instanceof BrokerError) throw error;
    throw new BrokerError(
      'provider_unavailable',
      signal.aborted
        ? 'The provider did not answer in time. It will be tried again.'
        : 'The provider could not be reached. It will be tried again.',
      // The guarded client knows an aborted request again by its reason: see its `wasSent`.
      {
        ...(signal.aborted ? { detail: 'timeout', cause: signal.reason } : { detail: networkCode(error) }),
        isOutcomeUnknown: true,
      },
    );
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function checkEndpoint(transport: Transport, endpoint: string): boolean {
  const url = URL.parse(endpoint);
  if (url?.protocol === 'https:') return false;
  if (url?.protocol === 'http:' && transport.allowInsecureLoopback && loopbackHosts.has(url.hostname)) return true;
  throw new BrokerError('url_not_allowed', 'An endpoint of the connection is not allowed. Give it as an https URL.');
}

/** `ECONNRESET` and the like: never the message, which may repeat the URL. */
function networkCode(error: unknown): string {
  const { code, name, cause } = (error ?? {}) as { code?: unknown; name?: unknown; cause?: { code?: unknown } };
  return String(cause?.code ?? code ?? name ?? 'unknown failure');
}
