import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import pLimit from 'p-limit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { routeTable } from '../../src/functions/route-table.ts';
import { create, rowsOf } from '../support/connections.ts';
import { type Call, startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { startWatchedTables, type WatchedTables } from '../support/watched-tables.ts';
import { withoutAudit } from './support/answers.ts';

const limit = 20;
const authorizations = 3;
const unknownKey = `bwl_${'0'.repeat(32)}_${'A'.repeat(43)}`;

let tables: WatchedTables;
let broker: TestBroker;
beforeAll(async () => {
  tables = await startWatchedTables();
  const settings = { RATE_LIMIT_PER_MINUTE: `${limit}`, AUTHORIZE_LIMIT_PER_MINUTE: `${authorizations}` };
  broker = await startTestBroker({ settings: { ...settings, OAuthStorage: tables.connectionString } });
});
afterAll(async () => {
  await broker.stop();
  await tables.stop();
});

const times = (count: number) => Array.from({ length: count }, (_, index) => index);

async function exhaust(call: Call): Promise<void> {
  await Promise.all(times(limit).map(() => broker.call('GET', '/api/oauth/connections', call)));
}

describe('S-69 calls of one caller for one organisation', () => {
  it('429 rate_limited beyond the limit, with Retry-After, and without a word to storage', async () => {
    const key = await broker.createKey(['ORG1'], ['operator', 'admin']);
    await exhaust({ key });
    for (const [method, path] of [
      ['GET', '/api/oauth/connections'],
      ['DELETE', '/api/oauth/connections/crm'],
      ['GET', '/api/oauth/credentials/crm'],
    ] as const) {
      const requests = await tables.during(async () => {
        const answer = await broker.call(method, path, { key });
        expect(answer).toMatchObject({ status: 429, json: { error: 'rate_limited' } });
        expect(answer.json.message).toBe('You have called too often for this organisation.');
        const wait = Number(answer.headers.get('retry-after'));
        expect(wait).toBeGreaterThan(50);
        expect(wait).toBeLessThanOrEqual(60);
        expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
      });
      expect(withoutAudit(requests)).toEqual([]);
    }
  });

  it('leaves the caller’s other organisations alone, and other callers of the same one', async () => {
    const key = await broker.createKey(['ORG3', 'ORG4'], ['operator']);
    const another = await broker.createKey(['ORG3'], ['operator']);
    await exhaust({ key, org: 'ORG3' });
    expect((await broker.call('GET', '/api/oauth/connections', { key, org: 'ORG3' })).status).toBe(429);
    expect((await broker.call('GET', '/api/oauth/connections', { key, org: 'ORG4' })).status).toBe(200);
    expect((await broker.call('GET', '/api/oauth/connections', { key: another, org: 'ORG3' })).status).toBe(200);
  });

  it('counts what is refused for its role or its organisation', async () => {
    const key = await broker.createKey(['ORG5'], ['auditor']);
    for (const _ of times(limit)) {
      expect((await broker.call('GET', '/api/oauth/credentials/crm', { key, org: 'ORG5' })).status).toBe(403);
    }
    expect((await broker.call('GET', '/api/oauth/connections', { key, org: 'ORG5' })).status).toBe(429);
    for (const index of times(limit)) {
      expect((await broker.call('GET', '/api/oauth/connections', { key, org: `FOREIGN${index}` })).status).toBe(403);
    }
    expect((await broker.call('GET', '/api/oauth/connections', { key, org: 'ONE-MORE' })).status).toBe(429);
  });

  it('takes nothing from another organisation while one is at a hundred times its limit', async () => {
    const noisy = await broker.createKey(['NOISY'], ['operator']);
    const quiet = await broker.createKey(['QUIET'], ['operator']);
    const atOnce = pLimit(40);
    const ask = (key: string, org: string) => broker.call('GET', '/api/oauth/connections', { key, org });
    const flood = times(100 * limit).map(() => atOnce(() => ask(noisy, 'NOISY')));
    const served = times(limit).map(() => ask(quiet, 'QUIET'));
    expect((await Promise.all(served)).map(({ status }) => status)).toEqual(times(limit).map(() => 200));
    const answered = (await Promise.all(flood)).filter(({ status }) => status === 200);
    expect(answered).toHaveLength(limit);
  });
});

describe('S-69 authorizations of one organisation', () => {
  it('429 beyond the limit: a flood leaves a bounded number of transactions, and nothing else', async () => {
    await create(broker, 'flooded', { org: 'FLOOD' });
    const before = (await rowsOf(broker, 'OAuthTransactions')).length;
    const keys = await Promise.all(times(3).map(() => broker.createKey(['FLOOD'], ['operator'])));
    const answers = await Promise.all(
      times(30).map((index) =>
        broker.call('POST', '/api/oauth/connections/flooded/authorize', {
          key: keys[index % keys.length] ?? null,
          org: 'FLOOD',
          body: { user_id: `user-${index}` },
        }),
      ),
    );
    const statuses = answers.map(({ status }) => status).toSorted();
    expect(statuses).toEqual([...times(authorizations).map(() => 200), ...times(30 - authorizations).map(() => 429)]);
    const refused = answers.find(({ status }) => status === 429);
    expect(refused?.json.message).toBe('Too many authorizations were begun for this organisation.');
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(50);
    expect((await rowsOf(broker, 'OAuthTransactions')).length - before).toBe(authorizations);
    const grants = (await rowsOf(broker, 'OAuthUserGrants')).filter(({ partitionKey }) =>
      partitionKey.startsWith('FLOOD|'),
    );
    expect(grants).toHaveLength(authorizations);
  });

  it('counts nobody who may not begin one', async () => {
    await create(broker, 'spared', { org: 'SPARED' });
    const reader = await broker.createKey(['SPARED'], ['reader']);
    for (const _ of times(authorizations + 1)) {
      const answer = await broker.call('POST', '/api/oauth/connections/spared/authorize', {
        key: reader,
        org: 'SPARED',
        body: {},
      });
      expect(answer.status).toBe(403);
    }
    const key = await broker.createKey(['SPARED'], ['operator']);
    const answer = await broker.call('POST', '/api/oauth/connections/spared/authorize', {
      key,
      org: 'SPARED',
      body: {},
    });
    expect(answer.status).toBe(200);
  });

  it('leaves one pending for a grant, however often it is begun', async () => {
    const open = await startTestBroker({ settings: { AUTHORIZE_LIMIT_PER_MINUTE: '0' }, beside: broker });
    await create(open, 'again', { org: 'AGAIN' });
    const before = (await rowsOf(open, 'OAuthTransactions')).length;
    for (const _ of times(10)) {
      const answer = await open.call('POST', '/api/oauth/connections/again/authorize', { org: 'AGAIN', body: {} });
      expect(answer.status).toBe(200);
    }
    expect((await rowsOf(open, 'OAuthTransactions')).length - before).toBe(1);
    await open.stop();
  });
});

describe('S-69 calls that nobody known makes', () => {
  it('429 for an address beyond the limit, while a right key passes from there', async () => {
    const key = await broker.createKey(['ORG6'], ['operator']);
    const ask = (given: string | null, forwarded: string) =>
      broker.call('GET', '/api/oauth/connections', {
        key: given,
        org: 'ORG6',
        // What a client says of itself: the front end adds what it sees behind that.
        headers: { 'x-forwarded-for': forwarded },
      });
    for (const index of times(limit)) {
      expect((await ask(index % 2 === 0 ? unknownKey : null, `10.0.0.${index}`)).status).toBe(401);
    }
    const refused = await ask(unknownKey, '10.0.1.1');
    expect(refused).toMatchObject({ status: 429, json: { error: 'rate_limited' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(50);
    expect((await ask(key, '10.0.1.2')).status).toBe(200);
  });

  it('costs one point read for an unknown key, and none for what is no key', async () => {
    const ask = (key: string | null) => broker.call('GET', '/api/oauth/me', { key });
    const unknown = withoutAudit(await tables.during(() => ask(unknownKey)));
    expect(unknown).toHaveLength(1);
    expect(unknown[0]).toMatch(/^GET .*OAuthCallers\(PartitionKey='keys',RowKey='0{32}'\)/);
    for (const key of [null, 'garbage', `bwl_${'x'.repeat(80)}`]) {
      expect(withoutAudit(await tables.during(() => ask(key)))).toEqual([]);
    }
  });
});

describe('S-69 a flood of callbacks from nobody', () => {
  it('costs at most one point read each, and no call to the provider or the vault', async () => {
    await create(broker, 'public', { org: 'PUBLIC' });
    const vaultBefore = broker.vault.requests.length;
    let providerCalls = 0;
    subscribe('http.server.request.start', (message) => {
      const { socket } = message as { readonly socket: Socket };
      if (socket.localPort === broker.server.port) providerCalls += 1;
    });
    const flood = 500;
    let refused = 0;
    const all = await tables.during(async () => {
      for (let begun = 0; begun < flood; begun += 50) {
        const answers = await Promise.all(
          times(50).map((index) =>
            broker.call('GET', `/api/oauth/callback/public?code=c${begun + index}&state=s${begun + index}`, {
              key: null,
              org: null,
            }),
          ),
        );
        refused += answers.filter(({ status }) => status === 400).length;
      }
    });
    expect(refused).toBe(flood);
    // The audit log counts them together.
    const requests = withoutAudit(all);
    expect(all.length - requests.length).toBeLessThan(20);
    expect(requests).toHaveLength(flood);
    expect(
      requests.filter(
        (line) => !/^GET .*OAuthTransactions\(PartitionKey='[0-9a-f]{2}',RowKey='[0-9a-f]{64}'\)/.test(line),
      ),
    ).toEqual([]);
    expect(broker.vault.requests.length).toBe(vaultBefore);
    expect(providerCalls).toBe(0);
    // The counter does count.
    await fetch(`${broker.server.issuer}/.well-known/openid-configuration`);
    expect(providerCalls).toBe(1);
  });

  it.each(['', '?state=', '?state=a&state=b', `?state=${'s'.repeat(513)}`])(
    'costs nothing at all for %j',
    async (query) => {
      const path = `/api/oauth/callback/public${query}`;
      const requests = await tables.during(async () => {
        expect((await broker.call('GET', path, { key: null, org: null })).status).toBe(400);
        expect((await broker.call('POST', path, { key: null, org: null, body: 'x' })).status).toBe(303);
      });
      expect(withoutAudit(requests)).toEqual([]);
    },
  );
});

describe('S-69 sizes', () => {
  const ask = (path: string, headers: Record<string, string> = {}) =>
    broker.call('GET', path, { org: 'SIZES', headers });

  it('takes 15 KB of headers, and refuses 33 KB with 431 before anything reads them', async () => {
    expect((await ask('/api/oauth/me', { 'x-long': 'x'.repeat(15 * 1024) })).status).toBe(200);
    expect((await ask('/api/oauth/me', { 'x-long': 'x'.repeat(33 * 1024) })).status).toBe(431);
  });

  it('401 for a key of 15 KB, without asking storage', async () => {
    const requests = await tables.during(async () => {
      const answer = await broker.call('GET', '/api/oauth/me', {
        key: `bwl_${'0'.repeat(32)}_${'A'.repeat(15 * 1024)}`,
      });
      // Or 429: this is not about how often.
      expect([401, 429]).toContain(answer.status);
    });
    expect(withoutAudit(requests)).toEqual([]);
  });

  it.each(
    routeTable
      .filter(({ path, permission }) => path.includes('{') && permission.kind !== 'public')
      .map((r) => [r.name, r] as const),
  )('400 for an id of 2 KB in the path of %s, without asking storage', async (_name, route) => {
    const path = `/api${route.path.replace(/\{[^}]+\}/g, 'x'.repeat(2048))}`;
    const requests = await tables.during(async () => {
      const body = route.method === 'POST' || route.method === 'PUT' ? {} : undefined;
      // Each in an organisation of its own: this is not about how often.
      const answer = await broker.call(route.method, path, { org: `SIZE-${route.name}`, body });
      expect(answer, answer.text).toMatchObject({ status: 400, json: { error: 'validation_failed' } });
    });
    expect(withoutAudit(requests)).toEqual([]);
  });

  it('413 for a body of more than 256 KB', async () => {
    const body = { name: 'x'.repeat(256 * 1024) };
    const answer = await broker.call('POST', '/api/oauth/callers', { org: 'SIZES', body });
    expect(answer).toMatchObject({ status: 413, json: { error: 'payload_too_large' } });
  });
});

describe('S-69 hostile texts', () => {
  const texts = [
    'a'.repeat(100_000),
    `${'a'.repeat(50_000)}!`,
    `${'a,'.repeat(50_000)}!`,
    `${' '.repeat(100_000)}x`,
    `https://${'a.'.repeat(50_000)}`,
    `2026-01-31T09:30:00.${'0'.repeat(100_000)}Z`,
    `${'%'.repeat(100_000)}`,
    `bwl_${'0'.repeat(100_000)}`,
  ];
  const shapes = routeTable.flatMap(({ name, request }) =>
    [request?.params, request?.query, request?.body].flatMap((shape) =>
      shape === undefined ? [] : [[name, shape as unknown as z.ZodObject] as const],
    ),
  );

  it.each(shapes)('are judged within 50 ms by every field of %s', (_name, shape) => {
    const fields = Object.keys(shape.shape ?? {});
    for (const text of texts) {
      for (const field of fields) {
        let fastest = Number.POSITIVE_INFINITY;
        for (let attempt = 0; attempt < 3 && fastest > 50; attempt += 1) {
          const begun = performance.now();
          shape.safeParse({ [field]: text });
          fastest = Math.min(fastest, performance.now() - begun);
        }
        expect(fastest, `${field}: ${text.slice(0, 20)}`).toBeLessThan(50);
      }
    }
  });
});
