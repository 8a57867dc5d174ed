import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { closeServer, listenOnLoopback } from '../../../src/host/services/loopback-server.ts';

export interface IssuedToken {
  readonly account: string;
  readonly at: number;
  readonly endsAt: number;
}

/** A token endpoint of single-use refresh tokens, cheap enough for thousands of accounts. */
export interface TokenServer {
  readonly tokenUrl: string;
  /** Begins an account whose access tokens live that long. Gives its refresh token. */
  open(account: string, lifeSeconds: number): string;
  /** What an account has got, in order. */
  issuedTo(account: string): readonly IssuedToken[];
  /** The access token of that text. */
  find(accessToken: string): IssuedToken | undefined;
  /** Refresh tokens that were used or unknown when they came: whose they were. */
  readonly refused: readonly string[];
  /** The most requests that were ever under way together. */
  mostAtOnce(): number;
  stop(): Promise<void>;
}

export interface TokenServerOptions {
  /** Default: the machine's clock. */
  readonly now?: () => number;
  /** How long each request takes. Default 0. */
  readonly answerAfterMs?: number;
  /** Told of each refresh before its tokens are issued. */
  readonly onRefresh?: (account: string) => void;
}

interface Account {
  readonly name: string;
  readonly lifeMs: number;
  readonly issued: IssuedToken[];
  current: string;
}

export async function startTokenServer(options: TokenServerOptions = {}): Promise<TokenServer> {
  const { now = Date.now, answerAfterMs = 0, onRefresh } = options;
  const accounts = new Map<string, Account>();
  /** Every refresh token there ever was. */
  const owners = new Map<string, Account>();
  const accessTokens = new Map<string, IssuedToken>();
  const refused: string[] = [];
  let underWay = 0;
  let most = 0;

  function renew(account: Account): string {
    account.current = `rt-${randomUUID()}`;
    owners.set(account.current, account);
    return account.current;
  }

  function answer(refreshToken: string): { readonly status: number; readonly body: object } {
    const account = owners.get(refreshToken);
    if (account?.current !== refreshToken) {
      refused.push(account?.name ?? 'nobody');
      return { status: 400, body: { error: 'invalid_grant' } };
    }
    onRefresh?.(account.name);
    const at = now();
    const accessToken = `at-${randomUUID()}`;
    const issued = { account: account.name, at, endsAt: at + account.lifeMs };
    accessTokens.set(accessToken, issued);
    account.issued.push(issued);
    const tokens = { access_token: accessToken, token_type: 'Bearer', refresh_token: renew(account) };
    return { status: 200, body: { ...tokens, expires_in: account.lifeMs / 1000 } };
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    underWay += 1;
    most = Math.max(most, underWay);
    const form = new URLSearchParams(await text(request));
    if (answerAfterMs > 0) await delay(answerAfterMs);
    const { status, body } = answer(form.get('refresh_token') ?? '');
    // Before the client can know: its next request must not be counted beside this one.
    underWay -= 1;
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }

  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  // Idle connections that close just as they are used again are another test's matter.
  server.keepAliveTimeout = 120_000;
  const port = await listenOnLoopback(server, { name: 'token server', port: 0 });

  return {
    tokenUrl: `http://127.0.0.1:${port}/token`,
    open: (name, lifeSeconds) => {
      const account: Account = { name, lifeMs: lifeSeconds * 1000, issued: [], current: '' };
      accounts.set(name, account);
      return renew(account);
    },
    issuedTo: (name) => accounts.get(name)?.issued ?? [],
    find: (accessToken) => accessTokens.get(accessToken),
    refused,
    mostAtOnce: () => most,
    stop: () => closeServer(server),
  };
}
