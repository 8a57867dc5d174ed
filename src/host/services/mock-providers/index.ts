import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { ProviderCatalogue } from '../../../ports/provider-catalogue.ts';
import type { StandIn } from '../../../providers/stand-ins/stand-in.ts';
import { closeServer, listenOnLoopback } from '../loopback-server.ts';
import { mockCatalogue } from './catalogue.ts';
import type { Exchange, HttpAnswer, MockServer } from './exchange.ts';
import { emptyState, endGrants, type Fault, unguessable } from './mock-state.ts';
import { answerTo } from './routes.ts';

export interface MockProvidersOptions {
  /** The providers to stand in for. */
  readonly catalogue: ProviderCatalogue;
  readonly standIns: Readonly<Record<string, StandIn>>;
  /** Default 0: any free port. Connections have it in their endpoints, so it should stay the same. */
  readonly port?: number;
  readonly now?: () => number;
  /** What every redirect URI starts with; null while it is not known. */
  readonly callbackPrefix: () => string | null;
  readonly clientSecret?: string;
  readonly accessTokenLifeSeconds?: number;
}

/** A request that a stand-in got. */
export interface MockCall {
  readonly provider: string;
  readonly endpoint: string;
  readonly grantType: string | null;
  readonly status: number;
  /** Why it was refused. */
  readonly detail: string | null;
}

export interface MockProviders {
  readonly url: string;
  readonly port: number;
  readonly clientId: string;
  readonly clientSecret: string;
  /** PEM: what assertions are signed with. */
  readonly privateKey: string;
  /** The same providers, here. */
  readonly catalogue: ProviderCatalogue;
  /** Every request so far, oldest first. */
  readonly calls: readonly MockCall[];
  /** What the next requests to a provider's token endpoint get. */
  failNext(provider: string, failure: Fault['failure'], times?: number): void;
  /** Ends every grant of a provider, as an administrator there might. */
  endGrants(provider: string): void;
  stop(): Promise<void>;
}

const clientId = 'mock-client';
const shortLifeSeconds = 30;
const maxBodyBytes = 64 * 1024;

/**
 * Starts stand-ins for the providers of a catalogue, on 127.0.0.1, each with its provider's checks, shapes and quirks,
 * and with short lives. They know one client and forget everything when they stop.
 * Throws `StartFailure` when the port is taken.
 */
export async function startMockProviders(options: MockProvidersOptions): Promise<MockProviders> {
  const { catalogue, standIns, now = Date.now, callbackPrefix, clientSecret = unguessable('mock/') } = options;
  const assertions = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const state = emptyState();
  const calls: MockCall[] = [];
  let baseUrl = '';
  const mock: MockServer = {
    baseUrl: () => baseUrl,
    now,
    client: { id: clientId, secret: clientSecret, publicKey: assertions.publicKey },
    state,
    signingKey: idTokenKey(),
    accessTokenLifeSeconds: options.accessTokenLifeSeconds ?? shortLifeSeconds,
    callbackPrefix,
  };
  const server = createServer((request, response) => {
    serve(mock, { catalogue, standIns, calls }, request, response).catch(() => response.destroy());
  });
  const port = await listenOnLoopback(server, { name: 'mock providers', port: options.port ?? 0 });
  baseUrl = `http://127.0.0.1:${port}`;

  return {
    url: baseUrl,
    port,
    clientId,
    clientSecret,
    privateKey: assertions.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    catalogue: mockCatalogue(catalogue, baseUrl),
    calls,
    failNext: (provider, failure, times = 1) => {
      state.faults.set(provider, [{ failure, timesLeft: times }]);
    },
    endGrants: (provider) => endGrants(state, provider),
    stop: () => closeServer(server),
  };
}

function idTokenKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

interface Served {
  readonly catalogue: ProviderCatalogue;
  readonly standIns: Readonly<Record<string, StandIn>>;
  readonly calls: MockCall[];
}

async function serve(
  mock: MockServer,
  { catalogue, standIns, calls }: Served,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (Number(request.headers['content-length'] ?? 0) > maxBodyBytes) {
    response.writeHead(413).end();
    return;
  }
  const body = await text(request);
  const url = new URL(request.url ?? '/', mock.baseUrl());
  const [provider = '', endpoint = '', ...rest] = url.pathname.split('/').slice(1).map(decodeURIComponent);
  const entry = catalogue.get(provider);
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  );
  const about = {
    server: mock,
    standIn: standIns[provider] ?? {},
    method: request.method ?? 'GET',
    url,
    rest,
    headers,
    body,
  };
  const answer: HttpAnswer = await answerTo({
    mock,
    catalogue,
    endpoint,
    exchange: entry && ({ ...about, entry } satisfies Exchange),
  });
  calls.push({
    provider,
    endpoint,
    grantType: /grant_type"?[=:]"?([\w:%.-]+)/.exec(body)?.[1] ?? null,
    status: answer.status,
    detail: answer.headers['x-stand-in-detail'] ?? null,
  });
  response.writeHead(answer.status, answer.headers).end(answer.body);
}
