import { createServer, type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { closeServer, listenOnLoopback } from '../../../src/host/services/loopback-server.ts';
import type { History } from './history.ts';
import { createHold, type Hold, type HoldGate } from './hold.ts';
import type { SeededRandom } from './seeded-random.ts';

export interface ProxiedRequest {
  readonly id: number;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface ProxiedAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export type Match = (request: ProxiedRequest) => boolean;

export type Fault =
  | { readonly kind: 'delay'; readonly leastMs: number; readonly mostMs: number }
  /** It is forwarded at once; its answer comes late. */
  | { readonly kind: 'delay-answer'; readonly leastMs: number; readonly mostMs: number }
  /** The connection breaks, and nothing was forwarded. */
  | { readonly kind: 'drop' }
  /** It was forwarded and answered; then the connection breaks. */
  | { readonly kind: 'lose-reply' }
  /** The proxy answers itself. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    };

export interface RuleOptions {
  /** Default: without end. */
  readonly times?: number;
  /** The share of matching requests that are hit; the first always is, so that no seed tries nothing. Default 1. */
  readonly chance?: number;
}

export interface Rule {
  /** How many requests it has befallen. */
  hits(): number;
  stop(): void;
}

export interface HoldOptions {
  /** Before it is forwarded, or with the answer ready. */
  readonly at: 'request' | 'answer';
  /** Default: every one. */
  readonly times?: number;
}

/** Told of each request and of what became of it. */
export interface ProxyObserver {
  received?(request: ProxiedRequest): void;
  /** The service has answered, whether or not its answer is delivered. */
  answered?(request: ProxiedRequest, answer: ProxiedAnswer): void;
  /** `status` null: the connection was broken. */
  ended?(request: ProxiedRequest, status: number | null): void;
}

/** A reverse proxy that writes the history and misbehaves as its rules say. */
export interface RecordingProxy {
  readonly name: string;
  /** Where clients send to, without a slash at the end. */
  readonly origin: string;
  on(matches: Match, fault: Fault, options?: RuleOptions): Rule;
  hold(matches: Match, options: HoldOptions): Hold;
  observe(observer: ProxyObserver): void;
  /** Ends every rule and releases whatever is held. */
  calm(): void;
  stop(): Promise<void>;
}

export interface ProxyOptions {
  readonly name: string;
  /** An origin. */
  readonly target: string;
  readonly history: History;
  readonly random: SeededRandom;
  /** What the history says of a request beside method and path. */
  readonly describe?: (request: ProxiedRequest) => Readonly<Record<string, unknown>>;
  /** How much later it is by the `Date` of every answer. Default 0. */
  readonly dateShiftMs?: number;
}

interface PlannedRule {
  readonly matches: Match;
  readonly fault: Fault | { readonly kind: 'hold'; readonly at: 'request' | 'answer'; readonly gate: HoldGate };
  readonly chance: number;
  left: number;
  hits: number;
}

export async function startRecordingProxy(options: ProxyOptions): Promise<RecordingProxy> {
  const { name, target, history, random, describe = () => ({}), dateShiftMs = 0 } = options;
  const observers: ProxyObserver[] = [];
  let rules: PlannedRule[] = [];
  let lastId = 0;

  const isHit = (rule: PlannedRule, proxied: ProxiedRequest): boolean => {
    if (rule.left <= 0 || !rule.matches(proxied)) return false;
    return rule.hits === 0 || rule.chance >= 1 || random.fraction() < rule.chance;
  };

  /** Any number of delays, and one other fault. */
  const take = (proxied: ProxiedRequest): PlannedRule[] => {
    const taken: PlannedRule[] = [];
    for (const rule of rules) {
      const isLate = rule.fault.kind !== 'delay' && taken.some(({ fault }) => fault.kind !== 'delay');
      if (isLate || !isHit(rule, proxied)) continue;
      rule.left -= 1;
      rule.hits += 1;
      taken.push(rule);
    }
    return taken;
  };

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(incoming);
    lastId += 1;
    const { method = 'GET', url = '/', headers } = incoming;
    const proxied: ProxiedRequest = { id: lastId, method, path: url, headers, body: body.toString() };
    const note = (what: string, facts: object = {}) => history.note(name, what, { id: proxied.id, ...facts });
    const end = (status: number | null): void => {
      note(status === null ? 'broken' : 'delivered', { status });
      for (const observer of observers) observer.ended?.(proxied, status);
      if (status === null) response.destroy();
    };
    note('received', { method, path: url, ...describe(proxied) });
    for (const observer of observers) observer.received?.(proxied);

    const hit = take(proxied);
    for (const { fault } of hit) {
      if (fault.kind === 'delay') await delay(random.between(fault.leastMs, fault.mostMs));
    }
    const fault = hit.find((rule) => rule.fault.kind !== 'delay')?.fault;
    if (fault !== undefined && fault.kind !== 'delay') note('rule', { kind: fault.kind });
    if (fault?.kind === 'drop') return end(null);
    if (fault?.kind === 'answer') {
      const sent = Buffer.from(fault.body ?? '');
      response.writeHead(fault.status, { ...fault.headers, 'content-length': `${sent.length}` }).end(sent);
      return end(fault.status);
    }
    if (fault?.kind === 'hold' && fault.at === 'request' && (await fault.gate.arrive()) === 'abandoned') {
      return end(null);
    }
    const answer = await forward(target, incoming, body);
    note('answered', { status: answer.status });
    for (const observer of observers) observer.answered?.(proxied, answer);
    if (fault?.kind === 'lose-reply') return end(null);
    if (fault?.kind === 'delay-answer') await delay(random.between(fault.leastMs, fault.mostMs));
    if (fault?.kind === 'hold' && fault.at === 'answer' && (await fault.gate.arrive()) === 'abandoned') {
      return end(null);
    }
    response.writeHead(answer.status, answerHeaders(answer, dateShiftMs)).end(answer.body);
    end(answer.status);
  }

  const server = createServer((incoming, response) => {
    serve(incoming, response).catch((error: unknown) => {
      history.note(name, 'failed', { error: error instanceof Error ? error.message : String(error) });
      response.destroy();
    });
  });
  // Idle connections that close just as they are used again are another test's matter.
  server.keepAliveTimeout = 120_000;
  const port = await listenOnLoopback(server, { name, port: 0 });

  const add = (rule: Omit<PlannedRule, 'hits'>): PlannedRule => {
    const planned = { ...rule, hits: 0 };
    rules.push(planned);
    return planned;
  };

  return {
    name,
    origin: `http://127.0.0.1:${port}`,
    on: (matches, fault, { times = Number.POSITIVE_INFINITY, chance = 1 } = {}) => {
      const rule = add({ matches, fault, chance, left: times });
      return {
        hits: () => rule.hits,
        stop: () => {
          rules = rules.filter((each) => each !== rule);
        },
      };
    },
    hold: (matches, { at, times = Number.POSITIVE_INFINITY }) => {
      const gate = createHold();
      add({ matches, fault: { kind: 'hold', at, gate }, chance: 1, left: times });
      return gate;
    },
    observe: (observer) => void observers.push(observer),
    calm: () => {
      for (const { fault } of rules) if (fault.kind === 'hold') fault.gate.release();
      rules = [];
    },
    stop: async () => {
      for (const { fault } of rules) if (fault.kind === 'hold') fault.gate.abandon();
      await closeServer(server);
    },
  };
}

/** Headers of one connection only. */
const hopByHop = ['connection', 'keep-alive', 'transfer-encoding', 'content-length'];

function forward(target: string, { method, url, headers }: IncomingMessage, body: Buffer): Promise<ProxiedAnswer> {
  const { hostname, port, host } = new URL(target);
  const kept = Object.entries(headers).filter(([name]) => !hopByHop.includes(name));
  const sent = { ...Object.fromEntries(kept), host, ...(body.length > 0 && { 'content-length': `${body.length}` }) };
  return new Promise((resolve, reject) => {
    // A connection of its own: a kept one could break without the request's fault.
    const outgoing = request({ hostname, port, method, path: url, headers: sent, agent: false }, (answer) => {
      buffer(answer).then(
        (received) => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: received }),
        reject,
      );
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function answerHeaders({ headers, body }: ProxiedAnswer, dateShiftMs: number): Record<string, string | string[]> {
  const kept = Object.entries(headers).filter(([name, value]) => !hopByHop.includes(name) && value !== undefined);
  const date = new Date(Date.parse(headers.date ?? '') + dateShiftMs);
  return {
    ...(Object.fromEntries(kept) as Record<string, string | string[]>),
    ...(dateShiftMs !== 0 && { date: date.toUTCString() }),
    'content-length': `${body.length}`,
  };
}
