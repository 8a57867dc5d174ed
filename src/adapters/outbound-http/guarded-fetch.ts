import { lookup as dnsLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { type Dispatcher, errors } from 'undici';
import { BrokerError } from '../../domain/errors.ts';
import { createGuardedAgent, RefusedAddressError } from './guarded-agent.ts';
import { answerInvalid, codeOf, readBody } from './response-body.ts';
import { checkUrl } from './url-policy.ts';

export interface GuardedFetchOptions {
  readonly allowInsecureLoopback: boolean;
  /** From the call to the last byte of the answer. Default: 8 s. */
  readonly totalTimeoutMs?: number;
  /** For DNS, connection and TLS together. A failure here is known to have sent nothing. Default: 5 s. */
  readonly connectTimeoutMs?: number;
  /** Most bytes of an answer's body, on the wire as well as decoded. Default: 1 MiB. */
  readonly maxBodyBytes?: number;
  /** Most bytes of an answer's headers. Default: 16 KiB. */
  readonly maxHeaderBytes?: number;
  readonly lookup?: LookupFunction;
}

export interface GuardedFetch {
  /**
   * As the global `fetch`, and fits oauth4webapi's `customFetch`. Every request goes out once, on a connection of its
   * own, to a public address, over https; redirects are returned, cookies are not kept, nothing is tried again.
   *
   * Rejects with `BrokerError`: `url_not_allowed` for a URL or an address that is refused, `provider_unavailable` when
   * no answer came (network, TLS, time), `provider_answer_invalid` for an answer that is too large or not HTTP.
   * `wasSent` tells which of them the provider may have seen. A caller's own `signal` rejects with its reason.
   */
  readonly fetch: typeof fetch;
  /** Begins the time that a whole call to a provider may take, its answer included. */
  timeLimit(): AbortSignal;
  /** Breaks off what is under way and lets go of every connection. */
  close(): Promise<void>;
}

const unsentErrors = new WeakSet<object>();

/**
 * Whether the provider may have seen the request that failed with `error`. `false` is certain: no byte of it was
 * written, so it can be sent again. `true` is the answer for every other error, also for those from elsewhere.
 */
export function wasSent(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) {
    if (unsentErrors.has(each)) {
      return false;
    }
  }
  return true;
}

/** Makes the only client that Bowline calls providers with. */
export function createGuardedFetch(options: GuardedFetchOptions): GuardedFetch {
  const { allowInsecureLoopback, totalTimeoutMs = 8000, maxBodyBytes = 1024 * 1024 } = options;
  const agent = createGuardedAgent({
    allowInsecureLoopback,
    totalTimeoutMs,
    connectTimeoutMs: Math.min(options.connectTimeoutMs ?? 5000, totalTimeoutMs),
    maxHeaderBytes: options.maxHeaderBytes ?? 16 * 1024,
    lookup: options.lookup ?? (dnsLookup as LookupFunction),
  });

  async function guardedFetch(input: Parameters<typeof fetch>[0], init?: RequestInit): Promise<Response> {
    const progress: Progress = { isSent: false };
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(), totalTimeoutMs);
    const callerSignal = init?.signal ?? (input instanceof Request ? input.signal : undefined);
    const signal = AbortSignal.any([timeout.signal, ...(callerSignal ? [callerSignal] : [])]);
    const text = input instanceof Request ? input.url : String(input);
    try {
      refuseBadUrl(text, allowInsecureLoopback);
      signal.throwIfAborted();
      // undici notices an abort only once it is connected, hence the race.
      return await Promise.race([
        exchange(agent, new Request(input, init), { signal, progress, maxBodyBytes }),
        whenAborted(signal),
      ]);
    } catch (error) {
      const isTimeout = timeout.signal.aborted;
      const failure = callerSignal?.aborted
        ? callerSignal.reason
        : toBrokerError(error, { host: URL.parse(text)?.host, isSent: progress.isSent, isTimeout });
      if (!progress.isSent && failure instanceof Error) {
        unsentErrors.add(failure);
      }
      throw failure;
    } finally {
      clearTimeout(timer);
    }
  }

  return { fetch: guardedFetch, timeLimit: () => AbortSignal.timeout(totalTimeoutMs), close: () => agent.destroy() };
}

interface Progress {
  isSent: boolean;
}

interface ExchangeOptions {
  readonly signal: AbortSignal;
  readonly progress: Progress;
  readonly maxBodyBytes: number;
}

function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

async function exchange(
  agent: Dispatcher,
  request: Request,
  { signal, progress, maxBodyBytes }: ExchangeOptions,
): Promise<Response> {
  const url = new URL(request.url);
  const answer = await agent.compose(watchStart(progress)).request({
    origin: url.origin,
    path: url.pathname + url.search,
    method: request.method,
    headers: requestHeaders(request),
    body: request.body === null ? null : Buffer.from(await request.arrayBuffer()),
    signal,
  });
  const headers = responseHeaders(answer.headers);
  const status = answer.statusCode;
  const body = await readBody(answer.body, headers.get('content-encoding') ?? '', maxBodyBytes);
  if (status < 200 || status > 599) {
    throw answerInvalid(`${url.host}: status ${status}`);
  }
  if (request.redirect === 'error' && status >= 300 && status < 400 && headers.has('location')) {
    throw answerInvalid(`${url.host}: a redirect (${status}) where none is wanted`);
  }
  for (const name of ['content-encoding', 'content-length', 'transfer-encoding']) {
    headers.delete(name);
  }
  return new Response([204, 205, 304].includes(status) ? null : body, { status, headers });
}

/** undici starts a request when its connection stands and its first byte is about to be written. */
function watchStart(progress: Progress): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) =>
    dispatch(options, {
      onRequestStart(controller, context) {
        handler.onRequestStart?.(controller, context);
        progress.isSent ||= !controller.aborted;
      },
      onResponseStart: (...args) => handler.onResponseStart?.(...args),
      onResponseData: (...args) => handler.onResponseData?.(...args),
      onResponseEnd: (...args) => handler.onResponseEnd?.(...args),
      onResponseError: (...args) => handler.onResponseError?.(...args),
    });
}

function requestHeaders(request: Request): Record<string, string> {
  const headers = { accept: '*/*', 'user-agent': 'bowline', ...Object.fromEntries(request.headers) };
  // The URL decides the host; an answer that is not compressed has one size to watch.
  const { host: _host, 'accept-encoding': _coding, ...kept } = headers as Record<string, string>;
  return { ...kept, 'accept-encoding': 'identity' };
}

function responseHeaders(received: Dispatcher.ResponseData['headers']): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(received)) {
    for (const each of Array.isArray(value) ? value : [value ?? '']) {
      headers.append(name, each);
    }
  }
  return headers;
}

function refuseBadUrl(text: string, allowInsecureLoopback: boolean): void {
  const problem = checkUrl(text, { allowInsecureLoopback });
  if (problem !== undefined) {
    throw new BrokerError('url_not_allowed', 'The URL of the provider is not allowed.', { detail: `it ${problem}` });
  }
}

interface Circumstances {
  readonly host: string | undefined;
  readonly isSent: boolean;
  readonly isTimeout: boolean;
}

/** The host and a code are all that goes into the log: messages of parsers quote what they could not parse. */
function toBrokerError(error: unknown, { host, isSent, isTimeout }: Circumstances): unknown {
  if (error instanceof BrokerError) {
    return isSent ? withOutcomeUnknown(error) : error;
  }
  if (error instanceof RefusedAddressError) {
    return new BrokerError('url_not_allowed', 'The URL of the provider is not allowed.', { detail: error.message });
  }
  const code = isTimeout ? 'total time is up' : (codeOf(error) ?? 'no code');
  if (error instanceof errors.HTTPParserError || code === 'UND_ERR_HEADERS_OVERFLOW') {
    return withOutcomeUnknown(answerInvalid(`${host}: ${code === 'no code' ? 'not HTTP' : code}`));
  }
  if (error instanceof TypeError || code === 'UND_ERR_INVALID_ARG') {
    return error;
  }
  const when = isSent ? 'after the request was sent' : 'before anything was sent';
  return new BrokerError('provider_unavailable', 'The provider could not be reached or did not answer.', {
    detail: `${host}: ${code}, ${when}`,
    isOutcomeUnknown: isSent,
  });
}

/** The provider has done what it was asked, or not: its answer could not be read. */
function withOutcomeUnknown({ code, message, detail }: BrokerError): BrokerError {
  return new BrokerError(code, message, { ...(detail === undefined ? {} : { detail }), isOutcomeUnknown: true });
}
