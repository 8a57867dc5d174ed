import { createHash } from 'node:crypto';
import { IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';

export interface TokenRequest {
  readonly grantType: string;
  /** SHA-256 of the refresh token submitted, in hex; null for other grants. */
  readonly refreshTokenHash: string | null;
  readonly clientId: string | null;
  /** Every form parameter's name, values left out. */
  readonly parameters: readonly string[];
  /** Null until it is answered, and where the connection was dropped. */
  status: number | null;
}

export interface CannedAnswer {
  readonly status: number;
  /** Text is sent as it is, anything else as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly times?: number;
  /** The authorization server works on the request first and its own answer is thrown away. */
  readonly afterProcessing?: boolean;
}

export interface HoldOptions {
  readonly times?: number;
  /** Where requests wait: before the authorization server sees them (default), or with its answer ready. */
  readonly at?: 'request' | 'answer';
}

export interface Held {
  /** Resolves when `count` requests (default 1) wait here. */
  waiting(count?: number): Promise<void>;
  /** Lets all of them, and those still to come, through. */
  release(): void;
}

type Rule =
  | { readonly kind: 'respond'; readonly answer: CannedAnswer; left: number }
  | { readonly kind: 'drop'; readonly afterProcessing: boolean; left: number }
  | { readonly kind: 'hold'; readonly at: 'request' | 'answer'; readonly wait: () => Promise<void>; left: number };

/** What was asked of the token endpoint, and what it is told to do next. Rules are used up in the order they were given. */
export interface TokenRecorder {
  readonly requests: readonly TokenRequest[];
  /** Milliseconds that every token request waits before the authorization server sees it. */
  latencyMs: number;
  /** How many token requests came in, of one grant type or of all. */
  count(grantType?: string): number;
  /** How often each refresh token was submitted, by its SHA-256 in hex. */
  refreshSubmissions(): ReadonlyMap<string, number>;
  respondNext(answer: CannedAnswer): void;
  /** Breaks the connection without an answer. */
  dropNext(options?: { readonly times?: number; readonly afterProcessing?: boolean }): void;
  holdNext(options?: HoldOptions): Held;
  /** Forgets requests and rules, and lets everything that is held through. */
  reset(): void;
}

/** The hash under which the recorder counts a refresh token. */
export function hashOfToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** Puts a recorder in front of a token endpoint; every other path goes straight to `next`. */
export function recordTokenRequests(
  path: string,
  next: RequestListener,
): { recorder: TokenRecorder; listener: RequestListener } {
  const requests: TokenRequest[] = [];
  const holds = new Set<() => void>();
  let rules: Rule[] = [];

  const recorder: TokenRecorder = {
    requests,
    latencyMs: 0,
    count: (grantType) => requests.filter((r) => grantType === undefined || r.grantType === grantType).length,
    refreshSubmissions: () => {
      const counts = new Map<string, number>();
      for (const { refreshTokenHash: hash } of requests)
        if (hash !== null) counts.set(hash, (counts.get(hash) ?? 0) + 1);
      return counts;
    },
    respondNext: (answer) => void rules.push({ kind: 'respond', answer, left: answer.times ?? 1 }),
    dropNext: ({ times = 1, afterProcessing = false } = {}) =>
      void rules.push({ kind: 'drop', afterProcessing, left: times }),
    holdNext: ({ times = 1, at = 'request' } = {}) => {
      const hold = createHold();
      holds.add(hold.release);
      rules.push({ kind: 'hold', at, wait: hold.wait, left: times });
      return hold;
    },
    reset: () => {
      for (const release of holds) release();
      holds.clear();
      rules = [];
      requests.length = 0;
      recorder.latencyMs = 0;
    },
  };

  const takeRule = (): Rule | undefined => {
    const rule = rules.find(({ left }) => left > 0);
    if (rule) rule.left -= 1;
    return rule;
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await buffer(request);
    const record = describe(request, body);
    requests.push(record);
    response.on('finish', () => {
      record.status = response.statusCode;
    });
    const rule = takeRule();
    if (recorder.latencyMs > 0) await delay(recorder.latencyMs);
    if (rule?.kind === 'hold' && rule.at === 'request') await rule.wait();
    if (rule?.kind === 'drop' && !rule.afterProcessing) response.destroy();
    else if (rule?.kind === 'respond' && !rule.answer.afterProcessing) answerWith(response, rule.answer);
    else {
      if (rule !== undefined) interceptEnd(response, rule);
      next(replay(request, body), response);
    }
  };

  const listener: RequestListener = (request, response) => {
    if (request.method !== 'POST' || request.url?.split('?')[0] !== path) return next(request, response);
    return void handle(request, response).catch(() => response.destroy());
  };
  return { recorder, listener };
}

function describe(request: IncomingMessage, body: Buffer): TokenRequest {
  const form = new URLSearchParams(body.toString());
  const refreshToken = form.get('refresh_token');
  const basic = /^Basic (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const user = basic === undefined ? undefined : Buffer.from(basic, 'base64').toString().split(':')[0];
  return {
    grantType: form.get('grant_type') ?? '',
    refreshTokenHash: refreshToken === null ? null : hashOfToken(refreshToken),
    clientId: form.get('client_id') ?? (user === undefined ? null : decodeURIComponent(user)),
    parameters: [...form.keys()],
    status: null,
  };
}

function createHold(): Held & { wait(): Promise<void> } {
  let arrived = 0;
  let watchers: { readonly count: number; readonly resolve: () => void }[] = [];
  const released = Promise.withResolvers<void>();
  return {
    wait: () => {
      arrived += 1;
      for (const watcher of watchers) if (arrived >= watcher.count) watcher.resolve();
      watchers = watchers.filter(({ count }) => count > arrived);
      return released.promise;
    },
    waiting: (count = 1) =>
      arrived >= count ? Promise.resolve() : new Promise((resolve) => void watchers.push({ count, resolve })),
    release: () => released.resolve(),
  };
}

/** The body was read to look at it, so the authorization server gets a request that still has one. */
function replay(request: IncomingMessage, body: Buffer): IncomingMessage {
  const copy = new IncomingMessage(request.socket);
  Object.assign(copy, {
    method: request.method,
    url: request.url,
    httpVersion: request.httpVersion,
    httpVersionMajor: request.httpVersionMajor,
    httpVersionMinor: request.httpVersionMinor,
    rawHeaders: request.rawHeaders,
    headers: request.headers,
    complete: true,
  });
  copy.push(body);
  copy.push(null);
  return copy;
}

/** Acts at the moment when the authorization server has done its work and hands over its answer. */
function interceptEnd(response: ServerResponse, rule: Rule): void {
  const end = response.end.bind(response) as (...args: unknown[]) => ServerResponse;
  response.end = ((...args: unknown[]) => {
    response.end = end as ServerResponse['end'];
    if (rule.kind === 'drop') response.destroy();
    else if (rule.kind === 'hold' && rule.at === 'answer') void rule.wait().then(() => end(...args));
    else if (rule.kind === 'respond') {
      for (const name of response.getHeaderNames()) response.removeHeader(name);
      answerWith(response, rule.answer);
    } else end(...args);
    return response;
  }) as ServerResponse['end'];
}

function answerWith(response: ServerResponse, { status, body = '', headers = {} }: CannedAnswer): void {
  const isText = typeof body === 'string';
  response.writeHead(status, { 'content-type': isText ? 'text/plain' : 'application/json', ...headers });
  response.end(isText ? body : JSON.stringify(body));
}
