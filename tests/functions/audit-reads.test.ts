import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { startWatchedTables, type WatchedTables } from '../support/watched-tables.ts';
import { type auditRecords, expectVerified, recordedBy } from './support/audit-records.ts';
import { credentialsOf } from './support/authorizing.ts';
import { answerNext, createGranted } from './support/granted.ts';

let tables: WatchedTables;
let windowed: TestBroker;
let every: TestBroker;
beforeAll(async () => {
  tables = await startWatchedTables();
  const settings = { OAuthStorage: tables.connectionString, CREDENTIAL_CACHE_SECONDS: '5', RATE_LIMIT_PER_MINUTE: '0' };
  windowed = await startTestBroker({ settings });
  every = await startTestBroker({ settings: { ...settings, AUDIT_CREDENTIAL_READS: 'every' } });
});
afterEach(() => tables.refuse(null));
afterAll(async () => {
  await windowed.stop();
  await every.stop();
  await tables.stop();
});

/** Puts the clock past every window and every cached credential. */
const later = (broker: TestBroker): void => broker.clock.advance(61_000);
/** Inserts of records, alone or in groups; not heads. */
const auditWrites = (requests: readonly string[]) =>
  requests.filter((line) => line.startsWith('POST') && /OAuthAudit|\$batch/.test(line));
const readsOf = (records: Awaited<ReturnType<typeof auditRecords>>, name: string) =>
  records.filter(({ action, connection }) => action === 'credential.read' && connection === name);

describe('AUDIT_CREDENTIAL_READS=windowed', () => {
  it('writes the first read of a minute before its answer, and the others as one count at its end (S-68)', async () => {
    await createGranted(windowed, 'counted');
    later(windowed);
    const first = await tables.during(() => credentialsOf(windowed, 'counted'));
    expect(auditWrites(first)).toHaveLength(1);
    const inside = await tables.during(async () => {
      for (let times = 0; times < 7; times += 1) expect((await credentialsOf(windowed, 'counted')).status).toBe(200);
    });
    expect(inside).toEqual([]);
    later(windowed);
    const records = await recordedBy(windowed, async () => {
      await credentialsOf(windowed, 'counted');
      await windowed.composition.broker.audit.drain();
    });
    expect(
      readsOf(records, 'counted')
        .map(({ count }) => count)
        .sort(),
    ).toEqual([1, 7]);
  });

  it('asks storage once for a read that is not cached, beside the window', async () => {
    await createGranted(windowed, 'once');
    await credentialsOf(windowed, 'once');
    windowed.clock.advance(6000);
    const requests = await tables.during(() => credentialsOf(windowed, 'once'));
    expect(requests).toHaveLength(1);
    expect(requests[0]).toMatch(/^GET .*OAuthConnections/);
  });

  it('a refresh and its record take six requests of storage at most', async () => {
    await createGranted(windowed, 'six');
    windowed.clock.advance(40_000);
    const { access_token } = answerNext(windowed);
    const requests = await tables.during(async () => {
      const answer = await credentialsOf(windowed, 'six', '?force_refresh=true');
      expect(answer.json.access_token).toBe(access_token);
    });
    expect(auditWrites(requests)).toHaveLength(1);
    expect(requests.filter((line) => !line.includes('heads')).length, requests.join('\n')).toBeLessThanOrEqual(6);
  });

  it('keeps a window for each caller, grant and outcome', async () => {
    await createGranted(windowed, 'apart');
    const key = await windowed.createKey(['ORG1'], ['reader']);
    later(windowed);
    const records = await recordedBy(windowed, async () => {
      for (const call of [{}, { key }, {}, { key }]) {
        await credentialsOf(windowed, 'apart', '', call);
        await credentialsOf(windowed, 'apart', '?user_id=ann', call);
      }
    });
    const seen = readsOf(records, 'apart').map(({ actor, userId, outcome }) => `${actor} ${userId} ${outcome}`);
    const id = key.split('_')[1];
    expect(seen.sort()).toEqual(
      [
        `api_key ${id}  success`,
        `api_key ${id} ann connection_not_ready`,
        'api_key bootstrap  success',
        'api_key bootstrap ann connection_not_ready',
      ].sort(),
    );
  });

  it('writes what it has counted when the process drains', async () => {
    await createGranted(windowed, 'drained');
    for (let times = 0; times < 3; times += 1) await credentialsOf(windowed, 'drained');
    const records = await recordedBy(windowed, () => windowed.composition.broker.audit.drain());
    // One of them was the first read, of `createGranted`.
    expect(readsOf(records, 'drained')).toMatchObject([{ count: 3, outcome: 'success' }]);
    await expectVerified(windowed);
  });
});

describe('AUDIT_CREDENTIAL_READS=every', () => {
  it('writes each read before its answer, also those out of the cache', async () => {
    await createGranted(every, 'each');
    const records = await recordedBy(every, async () => {
      for (let times = 0; times < 5; times += 1) await credentialsOf(every, 'each');
    });
    expect(readsOf(records, 'each').map(({ count }) => count)).toEqual([1, 1, 1, 1, 1]);
  });

  it('writes reads that come at once in groups', async () => {
    await createGranted(every, 'grouped');
    await credentialsOf(every, 'grouped');
    const requests = await tables.during(async () => {
      const answers = await Promise.all(Array.from({ length: 60 }, () => credentialsOf(every, 'grouped')));
      expect(answers.every(({ status }) => status === 200)).toBe(true);
    });
    expect(auditWrites(requests).length).toBeLessThan(40);
    await expectVerified(every);
  });
});

describe('while the audit log cannot be written (S-60, S-68)', () => {
  const auditDown = /OAuthAudit|\$batch/;

  it.each([
    ['windowed', () => windowed],
    ['every', () => every],
  ])('no credentials leave: 503 audit_unavailable (%s)', async (_mode, of) => {
    const broker = of();
    const { access_token } = await createGranted(broker, 'shut');
    later(broker);
    tables.refuse(auditDown);
    const answer = await credentialsOf(broker, 'shut');
    expect(answer).toMatchObject({ status: 503, json: { error: 'audit_unavailable' } });
    expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(answer.text).not.toContain(access_token);
    tables.refuse(null);
    expect((await credentialsOf(broker, 'shut')).json.access_token).toBe(access_token);
  });

  it('a change that was made says that it may have been made', async () => {
    tables.refuse(auditDown);
    const body = windowed.connectionBody('unrecorded');
    const answer = await windowed.call('POST', '/api/oauth/connections', { body });
    expect(answer).toMatchObject({ status: 503, json: { error: 'audit_unavailable' } });
    expect(answer.json.message).toContain('The change may have been made');
    tables.refuse(null);
    expect((await windowed.call('GET', '/api/oauth/connections/unrecorded')).status).toBe(200);
  });

  it('a refusal stays what it is, and what is not recorded is answered', async () => {
    tables.refuse(auditDown);
    expect((await windowed.call('DELETE', '/api/oauth/connections/nothing')).status).toBe(404);
    expect((await windowed.call('GET', '/api/oauth/connections')).status).toBe(200);
    expect((await windowed.call('GET', '/api/oauth/me', { key: 'none-such' })).status).toBe(401);
    expect(windowed.lines.some((line) => line.includes('"audit_not_written"'))).toBe(true);
  });

  it('a refresh goes on, and says loudly that it was not recorded', async () => {
    await createGranted(windowed, 'steady');
    const { access_token } = answerNext(windowed);
    tables.refuse(auditDown);
    await windowed.call('POST', '/api/oauth/connections/steady/refresh', { body: {} });
    tables.refuse(null);
    later(windowed);
    expect((await credentialsOf(windowed, 'steady')).json.access_token).toBe(access_token);
    const line = windowed.lines.findLast((each) => each.includes('"audit_not_written"'));
    expect(line).toContain('"steady"');
  });
});
