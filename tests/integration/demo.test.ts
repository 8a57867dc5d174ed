import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { closeServer, listenOnLoopback } from '../../src/host/services/loopback-server.ts';
import { createRunningHosts, type LiveHost, type RunningHosts } from '../support/running-hosts.ts';

const script = join(import.meta.dirname, '..', '..', 'scripts', 'demo.ts');

let hosts: RunningHosts;
let host: LiveHost;
let elsewhere: string;
beforeAll(async () => {
  hosts = await createRunningHosts();
  [host, elsewhere] = await Promise.all([hosts.start(), mkdtemp(join(tmpdir(), 'bowline-nowhere-'))]);
});
afterAll(async () => {
  await hosts.stopAll();
  await rm(elsewhere, { recursive: true });
});

function runDemo(
  home: string,
): Promise<{ readonly exitCode: number; readonly stdout: string; readonly stderr: string }> {
  const { PATH = '', HOME = '' } = process.env;
  return new Promise((resolve) => {
    const env = { PATH, HOME, BOWLINE_HOME: home };
    const child = execFile(process.execPath, [script], { env, timeout: 50_000 }, (_error, stdout, stderr) =>
      resolve({ exitCode: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

function expectWholeStory(stdout: string): void {
  for (const said of [
    'Its status is not_connected',
    'The callback page says: “demo-crm” is connected.',
    '(saved_token)',
    'the token is alice’s',
    'It is another token now',
    '(client_credentials)',
    'the provider has revoked alice’s tokens',
    'That was the whole story, in 9 steps.',
  ]) {
    expect(stdout).toContain(said);
  }
}

describe('npm run demo', { timeout: 60_000 }, () => {
  it('walks the whole story against the host that runs, prints no secret, and leaves nothing behind', async () => {
    for (let run = 0; run < 2; run += 1) {
      const { exitCode, stdout, stderr } = await runDemo(join(hosts.folder, 'home'));
      expect(stderr).toBe('');
      expect(exitCode).toBe(0);
      expect(stdout).toContain(`Bowline runs on ${host.url}`);
      expectWholeStory(stdout);
      expect(stdout).not.toContain(host.hostJson.admin_key);
      expect(stdout).not.toContain(host.hostJson.demo_provider?.client_secret);
      expect(stdout).not.toMatch(/[A-Za-z0-9_-]{40}/);
    }
    const { admin_key: key } = host.hostJson;
    const headers = { 'x-api-key': key ?? '', 'x-organization-id': 'DEMO' };
    const left = await fetch(`${host.url}/api/oauth/connections`, { headers });
    expect(await left.json()).toMatchObject({ count: 0 });
  });

  it('starts a host of its own where none runs, and stops it', async () => {
    const { exitCode, stdout, stderr } = await runDemo(elsewhere);
    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
    expectWholeStory(stdout);
    const url = /a fresh one was started: (\S+)/.exec(stdout)?.[1];
    await expect(fetch(`${url}/api/health`)).rejects.toThrow('fetch failed');
  });

  it('stops the host that it started when it is interrupted', async () => {
    const { PATH = '', HOME = '' } = process.env;
    const child = spawn(process.execPath, [script], { env: { PATH, HOME, BOWLINE_HOME: elsewhere }, stdio: 'pipe' });
    let stdout = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    const ended = once(child, 'close');
    const urlOf = () => /a fresh one was started: (\S+)\n/.exec(stdout)?.[1];
    await vi.waitUntil(() => urlOf() !== undefined, { timeout: 20_000, interval: 5 });
    child.kill('SIGINT');
    expect(await ended).toEqual([130, null]);
    await expect(fetch(`${urlOf()}/api/health`)).rejects.toThrow('fetch failed');
  });

  it('ends with one clear line and a non-zero exit code when a step fails', async () => {
    const server = createServer((request, response) => {
      response.writeHead(request.url === '/api/health' ? 200 : 503);
      response.end(JSON.stringify({ error: 'misconfigured', message: 'The settings are faulty.' }));
    });
    const port = await listenOnLoopback(server, { name: 'test', port: 0 });
    const hostJson = { ...host.hostJson, url: `http://127.0.0.1:${port}` };
    await writeFile(join(elsewhere, 'host.json'), JSON.stringify(hostJson));
    const { exitCode, stderr } = await runDemo(elsewhere);
    await closeServer(server);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^The demo cannot begin: [^\n]+ answered 503: The settings are faulty\.\n$/);
  });
});
