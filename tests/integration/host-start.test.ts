import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { closeServer, listenOnLoopback } from '../../src/host/services/loopback-server.ts';
import { endProcess, type HostProcess, startHostProcess } from '../unit/host/host-process.ts';

let folder: string;
let home: string;
const running: HostProcess[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bowline-start-'));
  home = join(folder, 'home');
});
afterAll(() => rm(folder, { recursive: true }));
afterEach(async () => {
  for (const host of running.splice(0)) await endProcess(host);
});

function start(environment: Record<string, string> = {}, at = home): HostProcess {
  const host = startHostProcess({ entry: 'real', home: at, environment });
  running.push(host);
  return host;
}

async function stop(host: HostProcess): Promise<void> {
  host.child.kill('SIGTERM');
  expect(await host.ended()).toBe(0);
}

async function expectFailure(host: HostProcess, message: string): Promise<void> {
  expect(await host.ended()).toBe(1);
  expect(host.stderr()).toMatch(/^Bowline cannot start\. [^\n]+\n$/);
  expect(host.stderr()).toContain(message);
}

const me = (url: string, key: string | null) =>
  fetch(`${url}/api/oauth/me`, { headers: { 'x-api-key': key ?? 'none' } });

describe('npm start', { timeout: 40_000 }, () => {
  it("serves the API, and host.json's key is an administrator's everywhere", async () => {
    const host = start();
    const url = await host.ready();
    expect((await fetch(`${url}/api/health`)).status).toBe(200);
    expect((await fetch(`${url}/api/health/ready`)).status).toBe(200);
    const { admin_key: key } = await host.hostJson();
    const answer = await me(url, key);
    expect(answer.status).toBe(200);
    const body = (await answer.json()) as { roles: string[] };
    expect(body.roles.toSorted()).toEqual(['admin', 'auditor', 'operator', 'reader']);
    expect((await me(url, 'bwl_00_wrong')).status).toBe(401);
    await stop(host);
    await expect(stat(join(home, 'host.json'))).rejects.toThrow('ENOENT');
  });

  it('puts stand-ins in the place of providers where BOWLINE_MOCK_PROVIDERS says so, and only there', async () => {
    const host = start({ BOWLINE_MOCK_PROVIDERS: 'true' }, join(folder, 'mock'));
    const url = await host.ready();
    const { admin_key: key, mock_providers: mock, settings } = await host.hostJson();
    const headers = { 'x-api-key': key ?? '', 'x-organization-id': 'ORG1', 'content-type': 'application/json' };
    const client = { client_id: mock?.client_id, client_secret: mock?.client_secret };
    const flow = { provider: 'xero', oauth_flow_type: 'client_credentials', connection_name: 'books' };
    const body = JSON.stringify({ ...flow, ...client });
    const created = await fetch(`${url}/api/oauth/connections`, { method: 'POST', headers, body });
    expect(await created.json()).toMatchObject({ token_url: `${mock?.url}/xero/token` });
    const credentials = await fetch(`${url}/api/oauth/credentials/books`, { headers });
    expect(credentials.status).toBe(200);
    await expectFailure(
      start({ ...settings, BOWLINE_MOCK_PROVIDERS: 'true' }, join(folder, 'second')),
      'BOWLINE_MOCK_PROVIDERS is for development: it does not go with BOWLINE_EMBEDDED=none',
    );
    await stop(host);
  });

  it('keeps key, issuer and vault over a restart, and a second process shares them', async () => {
    const first = start();
    const url = await first.ready();
    const { admin_key: key, settings } = await first.hostJson();
    expect((await me(url, key)).status).toBe(200);
    const second = start(settings, join(folder, 'second'));
    const secondUrl = await second.ready();
    expect((await fetch(`${secondUrl}/api/health/ready`)).status).toBe(200);
    expect((await me(secondUrl, key)).status).toBe(200);
    await stop(second);
    await stop(first);
  });

  it('stops before it serves when a setting is faulty, and names it without its value', async () => {
    const host = start({ REFRESH_WINDOW_SECONDS: 'marker-value', IDLE_AFTER_SECONDS: '-1' });
    await expectFailure(host, 'REFRESH_WINDOW_SECONDS must be a whole number of seconds');
    expect(host.stderr()).toContain('IDLE_AFTER_SECONDS');
    expect(host.stderr()).not.toContain('marker-value');
    await expect(stat(join(home, 'host.json'))).rejects.toThrow('ENOENT');
  });

  it('names the settings that are missing when it starts no services', async () => {
    const host = start({ BOWLINE_EMBEDDED: 'none' }, join(folder, 'bare'));
    await expectFailure(host, 'AZURE_KEY_VAULT_URL is missing');
    expect(host.stderr()).toContain('OAuthStorage is missing');
  });

  it('names a taken port', async () => {
    const server = createServer();
    const port = await listenOnLoopback(server, { name: 'test', port: 0 });
    await expectFailure(start({ BOWLINE_PORT: String(port) }), `Port ${port} on 127.0.0.1`);
    await closeServer(server);
  });

  it('refuses a damaged home', async () => {
    const damaged = join(folder, 'damaged');
    const host = start({}, damaged);
    await host.ready();
    await stop(host);
    await writeFile(join(damaged, 'azurite', 'tables.json'), '{"torn');
    await expectFailure(start({}, damaged), `${join(damaged, 'azurite', 'tables.json')} is damaged`);
  });
});
