import { createServer, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { parseJson } from '../../json-file.ts';
import { closeServer, listenOnLoopback } from '../loopback-server.ts';
import { createFaults, type FaultyAnswer, type VaultFaults } from './faults.ts';
import { answerVaultRequest, type VaultRequest } from './operations.ts';
import { openSecretStore, type SecretStore } from './secret-store.ts';
import { badParameter, errorBody, VaultError } from './vault-error.ts';

export type { VaultFaults } from './faults.ts';

export interface KeyVaultEmulatorOptions {
  /** Default 0: any free port. */
  readonly port?: number;
  /** One JSON file that keeps the secrets. Without it they live in memory. */
  readonly statePath?: string;
  readonly clock?: { now(): number };
}

export interface VaultLogEntry {
  readonly method: string;
  readonly path: string;
  /** Null where the connection was broken. */
  readonly status: number | null;
}

export interface KeyVaultEmulator {
  readonly url: string;
  readonly port: number;
  readonly faults: VaultFaults;
  /** The newest requests, without queries, bodies and values. */
  readonly requests: readonly VaultLogEntry[];
  stop(): Promise<void>;
}

const maxLoggedRequests = 5000;
const challenge =
  'Bearer authorization="https://login.microsoftonline.com/00000000-0000-0000-0000-000000000001", resource="https://vault.azure.net"';

/**
 * Starts the secrets part of a Key Vault on http://127.0.0.1. Any non-empty bearer token is accepted, after the 401
 * challenge of the service. Ids and links in answers carry the origin of `x-forwarded-proto` and `x-forwarded-host`
 * where a client sends both: the SDK follows links over https only.
 * Throws `StartFailure` when the port is taken or the state file damaged or newer.
 */
export async function startKeyVaultEmulator({
  port = 0,
  statePath,
  clock = { now: Date.now },
}: KeyVaultEmulatorOptions = {}): Promise<KeyVaultEmulator> {
  const store = openSecretStore({ statePath, nowSeconds: () => Math.floor(clock.now() / 1000) });
  const faults = createFaults();
  const requests: VaultLogEntry[] = [];
  const log = (entry: VaultLogEntry): void => {
    requests.push(entry);
    if (requests.length > maxLoggedRequests) requests.shift();
  };

  let base = '';
  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const method = request.method ?? 'GET';
    const url = new URL(request.url ?? '/', base);
    const path = url.pathname;
    const body = await text(request);
    if (faults.latencyMs > 0) await delay(faults.latencyMs);
    if (faults.isBroken()) {
      log({ method, path, status: null });
      response.destroy();
      return;
    }
    const answer = (): Reply => {
      if (!isAuthorized(request)) return unauthorized;
      const fault = faults.take({ method, path });
      if (fault !== null) return faultReply(fault);
      return serve(store, { method, url, body: parseJson(body), origin: originOf(request) ?? base });
    };
    const reply = answer();
    log({ method, path, status: reply.status });
    send(response, reply);
  };

  const boundPort = await listenOnLoopback(server, { name: 'Key Vault emulator', port });
  base = `http://127.0.0.1:${boundPort}`;
  return { url: base, port: boundPort, faults, requests, stop: () => closeServer(server) };
}

interface Reply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: OutgoingHttpHeaders;
}

const unauthorized: Reply = {
  status: 401,
  body: { error: { code: 'Unauthorized', message: 'AKV10000: Request is missing a Bearer or PoP token.' } },
  headers: { 'www-authenticate': challenge },
};

function isAuthorized(request: IncomingMessage): boolean {
  return /^Bearer \S/.test(request.headers.authorization ?? '');
}

function originOf({ headers }: IncomingMessage): string | null {
  const { 'x-forwarded-proto': proto, 'x-forwarded-host': host } = headers;
  return proto === undefined || host === undefined ? null : `${proto}://${host}`;
}

function faultReply({ status, retryAfterSeconds }: FaultyAnswer): Reply {
  const code = status === 429 ? 'Throttled' : 'InternalServerError';
  return {
    status,
    body: { error: { code, message: 'A fault that was asked for.' } },
    ...(retryAfterSeconds === undefined ? {} : { headers: { 'retry-after': String(retryAfterSeconds) } }),
  };
}

function serve(store: SecretStore, request: VaultRequest): Reply {
  if (!request.url.searchParams.has('api-version')) {
    return { status: 400, body: errorBody(badParameter('api-version must be specified')) };
  }
  try {
    const body = answerVaultRequest(store, request);
    return body === undefined ? { status: 204 } : { status: 200, body };
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    return { status: error.status, body: errorBody(error) };
  }
}

function send(response: ServerResponse, { status, body, headers = {} }: Reply): void {
  if (body === undefined) response.writeHead(status, headers).end();
  else
    response
      .writeHead(status, { ...headers, 'content-type': 'application/json; charset=utf-8' })
      .end(JSON.stringify(body));
}
