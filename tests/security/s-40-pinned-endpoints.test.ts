import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { closeServer, listenOnLoopback } from '../../src/host/services/loopback-server.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';

const secret = 'clientSecretZk9Qw3Lx7Vb1';
const refreshTokens = ['refresh-token-first-Nm5Rt8', 'refresh-token-second-Yp2Kd6'] as const;
const accessToken = 'access-token-Hs4Bg9';

interface Seen {
  readonly server: 'own' | 'foreign';
  readonly method: string;
  readonly url: string;
  readonly headers: string;
  readonly body: string;
}

let broker: TestBroker;
let servers: Server[];
let own: string;
let foreign: string;
let seen: Seen[] = [];

function server(name: Seen['server'], answer: (url: string, response: ServerResponse) => void): Server {
  return createServer(async (request: IncomingMessage, response) => {
    const { method = '', url = '', headers } = request;
    seen.push({ server: name, method, url, headers: JSON.stringify(headers), body: await text(request) });
    answer(url, response);
  });
}

/** A provider that points everywhere else: in its answers, its headers and its metadata. */
function tempting(url: string, response: ServerResponse): void {
  const link = { link: `<${foreign}/token>; rel="token_endpoint"`, 'content-location': `${foreign}/token` };
  response.writeHead(200, { 'content-type': 'application/json', ...link });
  const tokens = { access_token: accessToken, refresh_token: refreshTokens[1], token_type: 'Bearer', expires_in: 3600 };
  const elsewhere = { token_endpoint: `${foreign}/token`, revocation_endpoint: `${foreign}/revoke`, sub: 'ann' };
  response.end(JSON.stringify(url.startsWith('/token') ? { ...tokens, ...elsewhere } : elsewhere));
}

beforeAll(async () => {
  broker = await startTestBroker();
  servers = [server('own', tempting), server('foreign', (_url, response) => void response.end('{}'))];
  const [first, second] = await Promise.all(
    servers.map((one) => listenOnLoopback(one, { name: 'provider of the test', port: 0 })),
  );
  [own, foreign] = [`http://127.0.0.1:${first}`, `http://127.0.0.1:${second}`];
});
afterAll(async () => {
  await broker.stop();
  await Promise.all(servers.map((one) => closeServer(one)));
});
beforeEach(() => {
  seen = [];
});

const call = async (method: string, path: string, body?: unknown) => {
  const answer = await broker.call(method, `/api/oauth${path}`, body === undefined ? {} : { body });
  expect(answer.status, answer.text).toBeLessThan(300);
};

/** Everything that sends a token or a secret to a provider. */
async function everything(name: string, clientAuth: string): Promise<void> {
  const body = {
    connection_name: name,
    oauth_flow_type: 'refresh_token',
    client_id: 'app',
    client_secret: secret,
    client_auth: clientAuth,
    token_url: `${own}/token?tenant=7`,
    revocation_url: `${own}/revoke`,
    userinfo_url: `${own}/userinfo`,
    test_url: `${own}/test`,
    refresh_token: refreshTokens[0],
  };
  await call('POST', '/connections', body);
  await call('GET', `/credentials/${name}`);
  await call('POST', `/connections/${name}/refresh`, {});
  await call('POST', `/connections/${name}/test`, {});
  await call('POST', `/connections/${name}/disconnect`, {});
}

const holding = (value: string, part: (one: Seen) => string) => seen.filter((one) => part(one).includes(value));

describe.each(['client_secret_basic', 'client_secret_post', 'client_secret_basic_raw'])(
  'S-40 with %s',
  (clientAuth) => {
    it('refresh tokens and the client secret go to the stored token and revocation endpoints alone, never in an address', async () => {
      await everything(`pinned-${clientAuth.replaceAll('_', '-')}`, clientAuth);
      expect(seen.filter((one) => one.server === 'foreign')).toEqual([]);
      expect(seen.map(({ url }) => url.split('?')[0])).toEqual(expect.arrayContaining(['/token', '/revoke', '/test']));
      const basic = Buffer.from(`app:${secret}`).toString('base64');
      for (const value of [secret, ...refreshTokens, accessToken, basic]) {
        expect(holding(value, ({ url }) => url)).toEqual([]);
      }
      for (const token of refreshTokens) {
        expect(holding(token, ({ headers }) => headers)).toEqual([]);
        const takers = new Set(holding(token, ({ body }) => body).map(({ method, url }) => `${method} ${url}`));
        for (const taker of takers) expect(taker).toMatch(/^POST \/(token\?tenant=7|revoke)$/);
        expect(takers.size).toBeGreaterThan(0);
      }
      const withSecret = [...holding(secret, ({ body }) => body), ...holding(basic, ({ headers }) => headers)];
      expect(withSecret.length).toBeGreaterThanOrEqual(3);
      for (const { method, url, headers } of withSecret) {
        expect(`${method} ${url}`).toMatch(/^POST \/(token\?tenant=7|revoke)$/);
        expect(Object.keys(JSON.parse(headers)).sort()).toEqual(
          expect.not.arrayContaining(['referer', 'x-client-secret', 'cookie']),
        );
      }
      for (const { url, headers } of holding(accessToken, ({ headers }) => headers)) {
        expect(url).toMatch(/^\/(userinfo|test)$/);
        expect(JSON.parse(headers).authorization).toBe(`Bearer ${accessToken}`);
      }
    });
  },
);
