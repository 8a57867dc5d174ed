import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { closeServer, listenOnLoopback } from '../../../src/host/services/loopback-server.ts';

/** How a path of the provider answers from now on. The echo is everything secret that it was ever told or gave. */
export type Behaviour = (response: ServerResponse, echo: string) => void;

/** A provider that keeps every secret that it sees or issues, and repeats all of them when it fails. */
export interface EchoingProvider {
  readonly url: string;
  /** Kinds of secrets, and those of each kind so far. */
  readonly secrets: ReadonlyMap<string, ReadonlySet<string>>;
  learn(kind: string, secret: string): void;
  /** Null: as it should. */
  behave(path: string, behaviour: Behaviour | null): void;
  stop(): Promise<void>;
}

const told: Readonly<Record<string, string>> = {
  code: 'authorization code',
  code_verifier: 'PKCE verifier',
  client_secret: 'client secret in the body',
  refresh_token: 'refresh token in use',
};

export async function startEchoingProvider(canary: (kind: string) => string): Promise<EchoingProvider> {
  const secrets = new Map<string, Set<string>>();
  const behaviours = new Map<string, Behaviour>();
  const learn = (kind: string, secret: string) => {
    const known = secrets.get(kind) ?? new Set();
    secrets.set(kind, known.add(secret));
  };
  const issue = (kind: string) => {
    const secret = canary(kind);
    learn(kind, secret);
    return secret;
  };
  const listen = (request: IncomingMessage, body: string) => {
    const form = new URLSearchParams(body);
    for (const [name, kind] of Object.entries(told)) {
      const secret = form.get(name);
      if (secret !== null) learn(kind, secret);
    }
    const basic = /^Basic (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    if (basic !== undefined) learn('header of the client', basic);
  };

  const server = createServer(async (request, response) => {
    const path = request.url?.split('?')[0] ?? '';
    listen(request, await text(request));
    const echo = [...secrets.values()].flatMap((known) => [...known]).join(' ');
    const behaviour = behaviours.get(path);
    if (behaviour !== undefined) return behaviour(response, echo);
    response.writeHead(200, { 'content-type': 'application/json' });
    const tokens = () => ({
      access_token: issue('access token'),
      refresh_token: issue('refresh token'),
      id_token: issue('ID token'),
      token_type: 'Bearer',
      expires_in: 3600,
    });
    response.end(JSON.stringify(path === '/token' ? tokens() : { sub: 'ann' }));
  });
  const port = await listenOnLoopback(server, { name: 'echoing provider', port: 0 });
  return {
    url: `http://127.0.0.1:${port}`,
    secrets,
    learn,
    behave: (path, behaviour) => {
      if (behaviour === null) behaviours.delete(path);
      else behaviours.set(path, behaviour);
    },
    stop: () => closeServer(server),
  };
}

/** Answers with a status and the echo wherever a provider can put a text. */
export function failing(status: number, error: string): Behaviour {
  return (response, echo) => {
    response.writeHead(status, { 'content-type': 'application/json', 'x-request': echo.slice(0, 4000) });
    response.end(JSON.stringify({ error, error_description: echo, error_uri: echo, message: echo, [echo]: echo }));
  };
}

export const page: Behaviour = (response, echo) => {
  response.writeHead(200, { 'content-type': 'text/html' }).end(`<title>${echo}</title>${echo}`);
};

export const halfJson: Behaviour = (response, echo) => {
  response.writeHead(200, { 'content-type': 'application/json' }).end(`{"error_description":"${echo}`);
};

export const elsewhere: Behaviour = (response, echo) => {
  const location = `http://127.0.0.1:9/${encodeURIComponent(echo.slice(0, 4000))}`;
  response.writeHead(302, { location }).end(echo);
};

export const errorAs200: Behaviour = (response, echo) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ ok: false, error: echo, error_description: echo }));
};

export const hangUp: Behaviour = (response) => void response.destroy();

export const brokenOff: Behaviour = (response, echo) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100000' });
  response.write(`{"error":"${echo}`);
  setImmediate(() => response.destroy());
};

export const noHttp: Behaviour = (response, echo) => void response.socket?.end(`${echo}\r\n\r\n`);
