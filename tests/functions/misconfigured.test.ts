import { randomBytes } from 'node:crypto';
import { QueueClient } from '@azure/storage-queue';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { routeTable } from '../../src/functions/route-table.ts';
import { refreshQueueName } from '../../src/settings.ts';
import { startTestHost, type TestHost } from '../support/functions-host-fixture.ts';
import { bodyOf, pathOf } from './support/every-route.ts';

/** Each is faulty, and each value would be found again in a log. */
const faulty = {
  AZURE_KEY_VAULT_URL: 'http://canary-vault.example',
  PUBLIC_BASE_URL: 'https://canary-base.example/with/path',
  REQUIRE_CONNECT_PAGE: 'canary-perhaps',
  REFRESH_SCHEDULE: 'canary every day',
  CREDENTIAL_CACHE_SECONDS: 'canary-minutes',
  BOOTSTRAP_ADMIN_KEY_SHA256: 'canary-hash',
  OAuthStorage__tableServiceUri: 'canary-tables',
};

const prefix = `t${randomBytes(6).toString('hex')}`;
const lines: string[] = [];
let host: TestHost;
beforeAll(async () => {
  for (const [name, value] of Object.entries({ ...faulty, TABLE_PREFIX: prefix })) vi.stubEnv(name, value);
  const queue = () => new QueueClient(inject('azuriteConnectionString'), refreshQueueName(prefix));
  await queue().createIfNotExists();
  host = await startTestHost(
    async () => {
      const main = await import('../../src/main.ts');
      main.logLinesTo((line) => lines.push(line));
    },
    { openQueue: queue },
  );
});
afterAll(async () => {
  await host.stop();
  vi.unstubAllEnvs();
});

it('registers every function all the same', () => {
  const triggers = ['refreshSweep', 'refreshBatch', 'refreshPoison', 'refreshReconcile'];
  const expected = [...routeTable.map(({ name }) => name), 'zz-unknown-route', ...triggers];
  expect(host.functions.map(({ name }) => name)).toEqual(expect.arrayContaining(expected));
});

describe('503 misconfigured', () => {
  it.each(routeTable.map((route) => [route.name, route] as const))('%s', async (_name, route) => {
    const body = bodyOf(route);
    const answer = await host.get(pathOf(route.path), {
      method: route.method,
      redirect: 'manual',
      headers: { 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    expect(answer.status).toBe(503);
    if (route.isPage) expect(text).toContain('The settings of this deployment are faulty');
    else expect(JSON.parse(text)).toMatchObject({ error: 'misconfigured', correlation_id: expect.any(String) });
    expect(text).not.toContain('canary');
    for (const name of Object.keys(faulty)) expect(text).not.toContain(name);
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('an unknown route', async () => {
    expect((await host.get('/api/nothing')).status).toBe(503);
  });
});

it('says so in the log once: each faulty setting by name, and no value', () => {
  const said = lines.map((line) => JSON.parse(line)).filter(({ event }) => event === 'misconfigured');
  expect(said).toHaveLength(1);
  expect(said[0].level).toBe('error');
  for (const name of Object.keys(faulty)) expect(said[0].problems.join('\n')).toContain(name);
  expect(`${lines.join('\n')}${JSON.stringify(host.lines)}`).not.toContain('canary');
});

it.each(['refreshSweep', 'refreshReconcile'])('lets %s fail rather than do nothing', async (timer) => {
  await expect(host.runTimer(timer)).rejects.toThrow();
});
