import { TableClient } from '@azure/data-tables';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
});
afterAll(() => broker.stop());

const anyone = { key: null, org: null };

describe('GET health', () => {
  it('200 alive, for the public', async () => {
    expect(await broker.call('GET', '/api/health', anyone)).toMatchObject({ status: 200, json: { status: 'alive' } });
  });

  it('stays alive when nothing else is', async () => {
    broker.vault.faults.outage();
    try {
      expect((await broker.call('GET', '/api/health', anyone)).status).toBe(200);
    } finally {
      broker.vault.faults.clear();
    }
  });
});

describe('GET health/ready', () => {
  it('200 ready when storage, vault and key can be reached', async () => {
    const answer = await broker.call('GET', '/api/health/ready', anyone);
    expect([answer.status, answer.json]).toEqual([200, { status: 'ready' }]);
  });

  it('503 not_ready while the vault is down: the log says what, the public nothing; then ready again (S-60)', async () => {
    broker.clock.advance(5000);
    broker.vault.faults.outage();
    const down = await broker.call('GET', '/api/health/ready', anyone);
    broker.vault.faults.clear();
    expect([down.status, down.json]).toEqual([503, { status: 'not_ready' }]);
    const line = broker.lines.map((text) => JSON.parse(text)).find(({ event }) => event === 'not_ready');
    expect(line).toMatchObject({ level: 'warn', failing: ['vault'] });
    broker.clock.advance(5000);
    expect((await broker.call('GET', '/api/health/ready', anyone)).status).toBe(200);
  });

  it.each([
    ['no encryption key anywhere', ''],
    ['a key that is too short', Buffer.alloc(16, 1).toString('base64url')],
    ['the key of the Fernet specification', 'cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4='],
  ])('503 not_ready with %s, and no connection is created with it (S-46)', async (_what, key) => {
    const unready = await startTestBroker({ settings: { OAUTH_TOKEN_ENCRYPTION_KEY: key } });
    try {
      await expectNotReady(unready, 'encryption_key');
      const body = unready.connectionBody('x', { oauth_flow_type: 'refresh_token', refresh_token: 'rt' });
      const created = await unready.call('POST', '/api/oauth/connections', { body });
      expect(created.status).toBeGreaterThanOrEqual(500);
      if (key !== '') expect(created.text + unready.lines.join('')).not.toContain(key);
    } finally {
      await unready.stop();
    }
  });

  it('503 not_ready when a table is gone', async () => {
    const unready = await startTestBroker();
    try {
      const table = `${unready.prefix}OAuthConnections`;
      const options = { allowInsecureConnection: true };
      await TableClient.fromConnectionString(inject('azuriteConnectionString'), table, options).deleteTable();
      await expectNotReady(unready, 'storage');
    } finally {
      await unready.stop();
    }
  });
});

async function expectNotReady(unready: TestBroker, name: string): Promise<void> {
  const answer = await unready.call('GET', '/api/health/ready', anyone);
  expect([answer.status, answer.json]).toEqual([503, { status: 'not_ready' }]);
  const line = unready.lines.map((text) => JSON.parse(text)).find(({ event }) => event === 'not_ready');
  expect(line.failing).toEqual([name]);
}
