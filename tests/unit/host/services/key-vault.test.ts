import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createDefaultHttpClient,
  createHttpHeaders,
  createPipelineRequest,
  type HttpClient,
} from '@azure/core-rest-pipeline';
import { SecretClient, type SecretClientOptions } from '@azure/keyvault-secrets';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type KeyVaultEmulator, startKeyVaultEmulator } from '../../../../src/host/services/key-vault/index.ts';

const vaultUrl = 'https://emulated.vault.azure.net';

let folder: string;
let statePath: string;
let vault: KeyVaultEmulator;
let client: SecretClient;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bowline-vault-'));
  statePath = join(folder, 'vault.json');
  vault = await startKeyVaultEmulator({ statePath });
  client = secretClient();
});
afterEach(async () => {
  await vault.stop();
  await rm(folder, { recursive: true });
});

/** Keeps https in the URL that the SDK sees and carries the request to the emulator. */
function carrier(): HttpClient {
  const real = createDefaultHttpClient();
  return {
    sendRequest: async (request) => {
      const url = new URL(request.url);
      const headers = createHttpHeaders(request.headers.toJSON());
      headers.set('x-forwarded-proto', 'https');
      headers.set('x-forwarded-host', url.host);
      const { abortSignal: _, ...rest } = request;
      const carried = createPipelineRequest({ ...rest, url: vault.url + url.pathname + url.search, headers });
      carried.allowInsecureConnection = true;
      return { ...(await real.sendRequest(carried)), request };
    },
  };
}

function secretClient(options: SecretClientOptions = {}): SecretClient {
  const credential = { getToken: async () => ({ token: 'any', expiresOnTimestamp: Date.now() + 3_600_000 }) };
  return new SecretClient(vaultUrl, credential, { httpClient: carrier(), retryOptions: { maxRetries: 0 }, ...options });
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

describe('the Key Vault emulator', () => {
  it('challenges a request without a token and then serves the real client', async () => {
    await client.setSecret('alpha', 'one', { tags: { org: 'A' }, contentType: 'text/plain' });
    expect(await client.getSecret('ALPHA')).toMatchObject({
      name: 'alpha',
      value: 'one',
      properties: { tags: { org: 'A' }, contentType: 'text/plain', enabled: true, vaultUrl },
    });
    expect(vault.requests.map(({ method, status }) => `${method} ${status}`)).toEqual([
      'PUT 401',
      'PUT 200',
      'GET 200',
    ]);
  });

  it('keeps every version and gives the newest unless one is named', async () => {
    const first = await client.setSecret('key', 'one');
    await client.setSecret('key', 'two');
    expect((await client.getSecret('key')).value).toBe('two');
    expect((await client.getSecret('key', { version: first.properties.version ?? '' })).value).toBe('one');
    expect(await all(client.listPropertiesOfSecretVersions('key'))).toHaveLength(2);
  });

  it('refuses to read a disabled version and reads it again once enabled', async () => {
    const { properties } = await client.setSecret('key', 'one');
    const version = properties.version ?? '';
    await client.updateSecretProperties('key', version, { enabled: false });
    await expect(client.getSecret('key')).rejects.toMatchObject({ statusCode: 403, code: 'Forbidden' });
    expect((await all(client.listPropertiesOfSecretVersions('key')))[0]?.enabled).toBe(false);
    await client.updateSecretProperties('key', version, { enabled: true, tags: { a: 'b' } });
    expect(await client.getSecret('key')).toMatchObject({ value: 'one', properties: { tags: { a: 'b' } } });
  });

  it('keeps a deleted name from being used again until it is recovered or purged', async () => {
    await client.setSecret('key', 'one');
    const deletion = await client.beginDeleteSecret('key');
    await deletion.pollUntilDone();
    await expect(client.getSecret('key')).rejects.toMatchObject({ statusCode: 404, code: 'SecretNotFound' });
    await expect(client.setSecret('key', 'two')).rejects.toMatchObject({ statusCode: 409, code: 'Conflict' });
    expect((await all(client.listDeletedSecrets())).map(({ name }) => name)).toEqual(['key']);
    await (await client.beginRecoverDeletedSecret('key')).pollUntilDone();
    expect((await client.getSecret('key')).value).toBe('one');
    await (await client.beginDeleteSecret('key')).pollUntilDone();
    await client.purgeDeletedSecret('key');
    await client.setSecret('key', 'three');
    expect((await client.getSecret('key')).value).toBe('three');
  });

  it('lists by pages and follows them through', async () => {
    for (let i = 0; i < 30; i += 1) await client.setSecret(`name-${i}`, 'value');
    expect(await all(client.listPropertiesOfSecrets())).toHaveLength(30);
    expect(vault.requests.filter(({ method, path }) => method === 'GET' && path === '/secrets')).toHaveLength(2);
  });

  it('refuses a bad name and more than 25 KB, with nothing written', async () => {
    await expect(client.setSecret('no_underscore', 'x')).rejects.toMatchObject({
      statusCode: 400,
      code: 'BadParameter',
    });
    await expect(client.setSecret('n'.repeat(128), 'x')).rejects.toMatchObject({ statusCode: 400 });
    await expect(client.setSecret('big', 'x'.repeat(25 * 1024 + 1))).rejects.toMatchObject({ statusCode: 400 });
    await client.setSecret('fits', 'x'.repeat(25 * 1024));
    expect((await all(client.listPropertiesOfSecrets())).map(({ name }) => name)).toEqual(['fits']);
  });

  it('throttles, slows down and breaks off on demand, and recovers', async () => {
    await client.setSecret('key', 'one');
    vault.faults.respond({ status: 429, retryAfterSeconds: 3, times: 2 });
    await expect(client.getSecret('key')).rejects.toMatchObject({ statusCode: 429, code: 'Throttled' });
    await expect(client.getSecret('key')).rejects.toMatchObject({ statusCode: 429 });
    expect((await client.getSecret('key')).value).toBe('one');
    vault.faults.outage();
    await expect(client.getSecret('key')).rejects.toThrow();
    vault.faults.clear();
    vault.faults.latencyMs = 50;
    const before = performance.now();
    expect((await client.getSecret('key')).value).toBe('one');
    expect(performance.now() - before).toBeGreaterThanOrEqual(45);
  });

  it('plans faults for the requests named only', async () => {
    vault.faults.respond({ status: 503, matches: ({ method }) => method === 'PUT' });
    await expect(client.getSecret('key')).rejects.toMatchObject({ statusCode: 404 });
    await expect(client.setSecret('key', 'one')).rejects.toMatchObject({ statusCode: 503 });
    await client.setSecret('key', 'one');
  });

  it('finds its secrets, deleted ones included, after a restart, in a file for the owner alone', async () => {
    await client.setSecret('kept', 'value');
    await client.setSecret('gone', 'value');
    await (await client.beginDeleteSecret('gone')).pollUntilDone();
    await vault.stop();
    vault = await startKeyVaultEmulator({ statePath });
    expect((await client.getSecret('kept')).value).toBe('value');
    expect((await all(client.listDeletedSecrets())).map(({ name }) => name)).toEqual(['gone']);
    expect((await stat(statePath)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['vault.json']);
  });

  it('refuses a damaged or newer state file with one clear line and leaves it alone', async () => {
    for (const [text, message] of [
      ['{"schema_version":1,"secrets":[{"na', 'is damaged'],
      ['{"schema_version":1,"secrets":[{"name":1}]}', 'is damaged'],
      ['{"schema_version":2,"secrets":[]}', 'newer Bowline'],
    ] as const) {
      await writeFile(statePath, text);
      await expect(startKeyVaultEmulator({ statePath })).rejects.toMatchObject({
        name: 'StartFailure',
        message: expect.stringMatching(new RegExp(`^.*${message}.*$`)),
      });
      expect(await readFile(statePath, 'utf8')).toBe(text);
    }
  });

  it('names the port that is taken', async () => {
    await expect(startKeyVaultEmulator({ port: vault.port })).rejects.toMatchObject({
      name: 'StartFailure',
      message: expect.stringContaining(`Port ${vault.port} on 127.0.0.1, which the Key Vault emulator needs, is taken`),
    });
  });

  it('logs methods, paths and statuses, and no value', async () => {
    await client.setSecret('key', 'marker-value');
    expect(JSON.stringify(vault.requests)).not.toContain('marker-value');
    expect(vault.requests.at(-1)).toEqual({ method: 'PUT', path: '/secrets/key', status: 200 });
  });
});
