import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type AuthorizationServer,
  createUserAgent,
  startAuthorizationServer,
} from '../support/authorization-server.ts';
import { createRunningHosts, type LiveHost, type RunningHosts } from '../support/running-hosts.ts';

let hosts: RunningHosts;
let server: AuthorizationServer;
let first: LiveHost;

beforeAll(async () => {
  [hosts, server] = await Promise.all([createRunningHosts(), startAuthorizationServer()]);
  first = await hosts.start();
});
afterAll(async () => {
  await hosts.stopAll();
  await server.stop();
});
beforeEach(() => server.tokens.reset());

async function connect(host: LiveHost, name: string): Promise<void> {
  const created = await host.call('POST', '/api/oauth/connections', {
    connection_name: name,
    oauth_flow_type: 'authorization_code',
    client_id: server.clients.basic.clientId,
    client_secret: server.clients.basic.clientSecret,
    authorization_url: server.endpoints.authorization,
    token_url: server.endpoints.token,
    scopes: 'openid read',
  });
  expect(created.status).toBe(201);
  const started = await host.call('POST', `/api/oauth/connections/${name}/authorize`, {});
  const browser = createUserAgent();
  const landed = await browser.followTo(await browser.browse(started.json.authorization_url));
  expect(landed.status).toBe(200);
}

const credentials = (host: LiveHost, name: string) => host.call('GET', `/api/oauth/credentials/${name}`);

describe('several processes on one storage', { timeout: 60_000 }, () => {
  it('refresh one lapsed grant once for 50 parallel calls on two of them, and answer every call', async () => {
    const second = await hosts.join(first, 'second');
    await connect(first, 'shared');
    await first.lapse('shared');
    server.tokens.reset();
    server.tokens.latencyMs = 200;

    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => credentials(index % 2 === 0 ? first : second, 'shared')),
    );

    server.tokens.latencyMs = 0;
    expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(200));
    expect(new Set(answers.map(({ json }) => json.access_token)).size).toBe(1);
    expect(server.tokens.count()).toBe(1);
    expect(await server.isActive(answers[0]?.json.access_token)).toBe(true);
    expect(await second.stop()).toBe(0);
  });

  it('lose nothing when one is stopped with SIGTERM in the middle of a refresh', async () => {
    const own = await hosts.start({}, 'stopped');
    await connect(own, 'steady');
    await own.lapse('steady');
    server.tokens.reset();
    const held = server.tokens.holdNext({ at: 'answer' });

    const waiting = credentials(own, 'steady');
    await held.waiting();
    const stopped = own.stop();
    held.release();

    expect((await waiting).status).toBe(200);
    expect(await stopped).toBe(0);
    const again = await hosts.start({}, 'stopped');
    const kept = await credentials(again, 'steady');
    expect(kept).toMatchObject({ status: 200, json: { method: 'saved_token' } });
    expect(await server.isActive(kept.json.access_token)).toBe(true);
    const refreshed = await again.call('POST', '/api/oauth/connections/steady/refresh', {});
    expect(refreshed).toMatchObject({ status: 200, json: { status: 'completed', refreshed: true } });
    expect([...server.tokens.refreshSubmissions().values()]).toEqual([1, 1]);
    expect(await again.stop()).toBe(0);
  });
});
