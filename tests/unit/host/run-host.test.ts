import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { closeServer, listenOnLoopback } from '../../../src/host/services/loopback-server.ts';
import type { HostJson } from '../../../src/host/start-host.ts';
import { endProcess, type HostProcess, startHostProcess } from './host-process.ts';

let folder: string;
/** One home for all: what its first host wrote down. */
let home: string;
let first: { readonly process: HostProcess; readonly url: string; readonly hostJson: HostJson };
const running: HostProcess[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bowline-host-'));
  home = join(folder, 'home');
  const process = startHostProcess({ entry: 'fake', home });
  first = { process, url: await process.ready(), hostJson: await process.hostJson() };
});
afterAll(async () => {
  await endProcess(first.process);
  await rm(folder, { recursive: true });
});
afterEach(async () => {
  for (const host of running.splice(0)) await endProcess(host);
});

function start(environment: Record<string, string> = {}, at = home): HostProcess {
  const host = startHostProcess({ entry: 'fake', home: at, environment });
  running.push(host);
  return host;
}

async function stop(host: HostProcess): Promise<void> {
  host.child.kill('SIGTERM');
  expect(await host.ended()).toBe(0);
}

/** Exit code 1, nothing on standard output, one line on standard error. */
async function expectFailure(host: HostProcess, message: string): Promise<void> {
  expect(await host.ended()).toBe(1);
  expect(host.stderr()).toMatch(/^Bowline cannot start\. [^\n]+\n$/);
  expect(host.stderr()).toContain(message);
  expect(host.stdout()).toBe('');
}

describe('the process of the embedded host', { timeout: 30_000 }, () => {
  it('serves the app and says in host.json, for its owner alone, how to use it', async () => {
    const { url, hostJson, process } = first;
    expect(await (await fetch(`${url}/api/ping`)).text()).toBe('pong');
    expect((await stat(home)).mode & 0o777).toBe(0o700);
    expect((await stat(join(home, 'host.json'))).mode & 0o777).toBe(0o600);
    expect(Object.keys(hostJson)).toEqual([
      'url',
      'pid',
      'admin_key',
      'master_key',
      'settings',
      'demo_provider',
      'mock_providers',
    ]);
    expect(hostJson).toMatchObject({
      url,
      pid: process.child.pid,
      admin_key: expect.stringMatching(/^bwl_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$/),
      demo_provider: { client_id: 'bowline-demo' },
      settings: { PUBLIC_BASE_URL: url, ALLOW_INSECURE_LOOPBACK: 'true', BOWLINE_EMBEDDED: 'none' },
    });
    const secrets = [hostJson.admin_key, hostJson.master_key, hostJson.demo_provider?.client_secret ?? 'none'];
    for (const secret of secrets) expect(process.stdout() + process.stderr()).not.toContain(secret);
  });

  it('says loudly that providers are stand-ins, and not how to get in', async () => {
    const host = start({ BOWLINE_MOCK_PROVIDERS: 'true' }, join(folder, 'mock'));
    await host.ready();
    const { mock_providers: mock } = await host.hostJson();
    expect(host.stdout()).toMatch(/^!{20,}\n!! MOCK PROVIDERS \(BOWLINE_MOCK_PROVIDERS=true\) +!!\n/);
    expect(host.stdout()).toContain(mock?.url);
    expect(host.stdout()).not.toContain(mock?.client_secret ?? 'none');
    expect(first.process.stdout()).not.toContain('MOCK');
    expect(first.hostJson.mock_providers).toBeNull();
    await stop(host);
  });

  it('lets no second host use its home', async () => {
    await expectFailure(start(), `Another Bowline (process ${first.process.child.pid}) uses ${home}.`);
    expect((await first.process.hostJson()).pid).toBe(first.process.child.pid);
  });

  it('shares storage and vault with another host that has the settings of host.json and nothing else', async () => {
    const { settings } = first.hostJson;
    const second = start(settings, join(folder, 'second'));
    expect(await (await fetch(`${await second.ready()}/api/ping`)).text()).toBe('pong');
    expect(await second.hostJson()).toMatchObject({ settings, admin_key: null, demo_provider: null });
    await stop(second);
  });

  it('finishes what is in flight at SIGTERM, and takes host.json away', async () => {
    const { process, url } = first;
    const answer = fetch(`${url}/api/slow?ms=500`);
    await vi.waitUntil(() => process.stdout().includes('slow began'));
    process.child.kill('SIGTERM');
    expect(await (await answer).text()).toBe('done');
    expect(await process.ended()).toBe(0);
    await expect(stat(join(home, 'host.json'))).rejects.toThrow('ENOENT');
  });

  it('starts again with the same keys, issuer and vault, and exits at once at a second signal', async () => {
    const host = start();
    const url = await host.ready();
    const kept = ({ admin_key, master_key, demo_provider, settings }: HostJson) => {
      const { PUBLIC_BASE_URL: _, ...rest } = settings;
      return { admin_key, master_key, demo_provider, rest };
    };
    expect(kept(await host.hostJson())).toEqual(kept(first.hostJson));
    const answer = fetch(`${url}/api/slow?ms=60000`).catch(() => 'broken');
    await vi.waitUntil(() => host.stdout().includes('slow began'));
    host.child.kill('SIGINT');
    await vi.waitUntil(() => host.stdout().includes('Stopping'));
    host.child.kill('SIGINT');
    expect(await host.ended()).toBe(130);
    expect(await answer).toBe('broken');
  });

  it('takes over the home of a host that was killed, and stops again', async () => {
    const killed = start();
    await killed.ready();
    killed.child.kill('SIGKILL');
    await killed.ended();
    const host = start();
    await host.ready();
    await stop(host);
  });

  it('names the port that another program has: of the API, and of a service between two starts', async () => {
    const server = createServer();
    const port = Number(new URL(first.hostJson.demo_provider?.issuer ?? '').port);
    await listenOnLoopback(server, { name: 'test', port });
    await expectFailure(start(), `Port ${port} on 127.0.0.1, which the demo authorization server needs, is taken`);
    const none = { ...first.hostJson.settings, BOWLINE_PORT: String(port) };
    await expectFailure(start(none), `Port ${port} on 127.0.0.1, which the Bowline API needs, is taken`);
    await closeServer(server);
  });

  it('explains storage that does not answer', async () => {
    await expectFailure(
      start(first.hostJson.settings),
      'The storage that OAuthStorage names does not work (ECONNREFUSED)',
    );
  });

  it('refuses damaged data, and leaves it alone', async () => {
    const path = join(home, 'azurite', 'tables.json');
    await writeFile(path, '{"torn');
    await expectFailure(start(), `${path} is damaged`);
    expect(await readFile(path, 'utf8')).toBe('{"torn');
  });
});
