import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { app } from '@azure/functions';
import { QueueServiceClient } from '@azure/storage-queue';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Environment, readHostSettings } from '../../../src/host/host-settings.ts';
import { type AppModule, type RunningHost, startHost } from '../../../src/host/start-host.ts';
import type { ProviderCatalogue } from '../../../src/ports/provider-catalogue.ts';

let folder: string;
let home: string;
let shown: string[];
const running: RunningHost[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bowline-start-host-'));
  home = join(folder, 'home');
  shown = [];
});
afterEach(async () => {
  for (const host of running.splice(0)) await host.stop();
  await rm(folder, { recursive: true });
});

const ping: AppModule = { settingsProblems: () => [] };

async function start(environment: Environment = {}, module: AppModule = ping): Promise<RunningHost> {
  const filled = Object.assign(environment, { BOWLINE_HOME: home, BOWLINE_PORT: '0' });
  const importApp = async () => {
    app.http('ping', { route: 'ping', authLevel: 'anonymous', handler: () => ({ body: 'pong' }) });
    return module;
  };
  const host = await startHost({ environment: filled, importApp, show: (line) => shown.push(line) });
  running.push(host);
  return host;
}

async function names(items: AsyncIterable<{ name?: string | undefined }>): Promise<(string | undefined)[]> {
  const found: (string | undefined)[] = [];
  for await (const { name } of items) found.push(name);
  return found;
}

describe('starting the embedded host', () => {
  it('gives the app what nobody has set, and leaves alone what somebody has', async () => {
    const environment: Environment = { PUBLIC_BASE_URL: 'http://localhost:1234', TABLE_PREFIX: ' ' };
    const host = await start(environment);
    expect(environment).toMatchObject({
      OAuthStorage: expect.stringContaining('AccountName=devstoreaccount1'),
      AZURE_KEY_VAULT_URL: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      PUBLIC_BASE_URL: 'http://localhost:1234',
      ALLOW_INSECURE_LOOPBACK: 'true',
      BOOTSTRAP_ADMIN_KEY_SHA256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(host.hostJson.settings.PUBLIC_BASE_URL).toBe('http://localhost:1234');
  });

  it('tells nobody a key that only the person knows', async () => {
    const host = await start({ BOOTSTRAP_ADMIN_KEY_SHA256: 'ab'.repeat(32) });
    expect(host.hostJson.admin_key).toBeNull();
    expect(host.hostJson.settings.BOOTSTRAP_ADMIN_KEY_SHA256).toBe('ab'.repeat(32));
  });

  it('has the app make its tables, makes queues with the prefix, and one encryption key that stays', async () => {
    const environment: Environment = { TABLE_PREFIX: 'abc' };
    let tablesMade = 0;
    const createTables = async () => {
      tablesMade += 1;
    };
    const host = await start(environment, { ...ping, createTables });
    const connection = environment.OAuthStorage ?? '';
    expect(tablesMade).toBe(1);
    const queues = QueueServiceClient.fromConnectionString(connection);
    expect(await names(queues.listQueues())).toEqual(['abcoauth-refresh', 'abcoauth-refresh-poison']);
    const before = await encryptionKey();
    expect(Buffer.from(before.value, 'base64url')).toHaveLength(32);
    await host.stop();
    await start();
    expect(await encryptionKey()).toEqual(before);
  });

  it('does not make a new key where the vault has lost the old one', async () => {
    const environment: Environment = {};
    const host = await start(environment);
    const secretUrl = `${environment.AZURE_KEY_VAULT_URL}/secrets/oauth-token-encryption-key?api-version=7.6`;
    await fetch(secretUrl, { method: 'DELETE', headers: { authorization: 'Bearer test' } });
    await host.stop();
    await expect(start()).rejects.toMatchObject({
      name: 'StartFailure',
      message: `${join(home, 'vault.json')} has lost the secret oauth-token-encryption-key. Restore it from a backup.`,
    });
  });

  it("stops with the app's faulty settings in one line, and everything can be started again", async () => {
    const faulty = { settingsProblems: () => ['A is missing', 'B must be a number'] };
    await expect(start({}, faulty)).rejects.toMatchObject({
      name: 'StartFailure',
      message: 'Faulty settings: A is missing; B must be a number.',
    });
    expect(await readdir(home)).not.toContain('lock');
    expect(await (await fetch(`${(await start()).url}/api/ping`)).text()).toBe('pong');
  });

  it('says one line of an unexpected error and keeps its stack in the log', async () => {
    const broken: AppModule = {
      settingsProblems: () => {
        throw new TypeError('nobody thought of this');
      },
    };
    const log = join(home, 'bowline.log');
    await expect(start({}, broken)).rejects.toMatchObject({
      message: `Something unexpected went wrong; ${log} has the details.`,
    });
    expect(await readFile(log, 'utf8')).toMatch(/nobody thought of this.*at .*start-host\.test\.ts/);
    expect(shown).toEqual([]);
  });

  it("keeps the app's log lines in the home and shows the loud ones", async () => {
    await start({}, { ...ping, logLinesTo: (write) => write('{"level":"warn","event":"look"}\n') });
    expect(await readFile(join(home, 'bowline.log'), 'utf8')).toContain('{"level":"warn","event":"look"}\n');
    expect(shown).toEqual(['warn: look']);
  });
});

describe('mock providers', () => {
  it('are given to the app in place of the catalogue, on the port of the first start', async () => {
    const given: ProviderCatalogue[] = [];
    const app: AppModule = { ...ping, useProviders: (catalogue) => given.push(catalogue) };
    const environment: Environment = { BOWLINE_MOCK_PROVIDERS: 'true' };
    const host = await start(environment, app);
    const { mock_providers: mock } = host.hostJson;
    expect(environment).not.toHaveProperty('BOWLINE_MOCK_PROVIDERS');
    expect(host.hostJson.settings).not.toHaveProperty('BOWLINE_MOCK_PROVIDERS');
    expect(given[0]?.get('slack')?.endpoints.token).toBe(`${mock?.url}/slack/token`);
    expect((await fetch(`${mock?.url}/`)).status).toBe(200);
    await host.stop();
    const without = await start({}, app);
    expect(without.hostJson.mock_providers).toBeNull();
    expect(given).toHaveLength(1);
    await without.stop();
    expect((await start({ BOWLINE_MOCK_PROVIDERS: 'true' }, app)).hostJson.mock_providers?.url).toBe(mock?.url);
  });
});

describe("the host's own settings", () => {
  it('have defaults', () => {
    expect(readHostSettings({ BOWLINE_PORT: ' ' })).toEqual({
      port: 7071,
      home: join(process.cwd(), '.bowline'),
      embedded: true,
      mockProviders: false,
    });
  });

  it('are read', () => {
    const environment = { BOWLINE_PORT: '0', BOWLINE_HOME: '/tmp/x', BOWLINE_EMBEDDED: 'none' };
    expect(readHostSettings(environment)).toEqual({ port: 0, home: '/tmp/x', embedded: false, mockProviders: false });
    expect(readHostSettings({ BOWLINE_MOCK_PROVIDERS: 'true' })).toMatchObject({ embedded: true, mockProviders: true });
  });

  it('let stand-ins take the place of providers in the embedded host alone', () => {
    expect(() => readHostSettings({ BOWLINE_MOCK_PROVIDERS: 'yes' })).toThrow(
      'Faulty settings: BOWLINE_MOCK_PROVIDERS must be true or false.',
    );
    expect(() => readHostSettings({ BOWLINE_MOCK_PROVIDERS: 'true', BOWLINE_EMBEDDED: 'none' })).toThrow(
      'BOWLINE_MOCK_PROVIDERS is for development: it does not go with BOWLINE_EMBEDDED=none',
    );
  });

  it('are all named where they are faulty, without their values', () => {
    for (const BOWLINE_PORT of ['x', '-1', '65536', '7071.5']) {
      expect(() => readHostSettings({ BOWLINE_PORT, BOWLINE_EMBEDDED: 'some' })).toThrow(
        'Faulty settings: BOWLINE_PORT must be a port from 0 to 65535; BOWLINE_EMBEDDED must be none or left out.',
      );
    }
  });
});

interface VaultFile {
  readonly secrets: readonly { readonly name: string; readonly versions: readonly { readonly value: string }[] }[];
}

async function encryptionKey(): Promise<{ readonly value: string }> {
  const { secrets } = JSON.parse(await readFile(join(home, 'vault.json'), 'utf8')) as VaultFile;
  expect(secrets.map(({ name }) => name)).toEqual(['oauth-token-encryption-key']);
  expect(secrets[0]?.versions).toHaveLength(1);
  return { value: secrets[0]?.versions[0]?.value ?? '' };
}
