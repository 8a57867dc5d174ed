import { TableClient } from '@azure/data-tables';
import { afterAll, beforeAll, expect, inject, it, vi } from 'vitest';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { answerNext, createGranted } from './support/granted.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
});
afterAll(() => broker.stop());

it('a rekey job that makes no sense stops no automatic sweep, and is logged', async () => {
  const options = { allowInsecureConnection: true };
  const jobs = TableClient.fromConnectionString(
    inject('azuriteConnectionString'),
    `${broker.prefix}OAuthJobs`,
    options,
  );
  await jobs.createEntity({ partitionKey: 'rekey', rowKey: '0'.repeat(13), step: 'nonsense' });
  await createGranted(broker, 'due', { expires_in: 4 * 3600 });
  broker.clock.advance(3.5 * 3_600_000);
  answerNext(broker, { expires_in: 90_000 });
  const calls = broker.server.tokens.count();
  await broker.host.runTimer('refreshSweep');
  await vi.waitFor(() => expect(broker.server.tokens.count()).toBe(calls + 1), { timeout: 10_000, interval: 20 });
  const line = broker.lines.find((each) => each.includes('rekey_not_continued')) ?? '{}';
  expect(JSON.parse(line)).toMatchObject({ level: 'error', event: 'rekey_not_continued' });
});
