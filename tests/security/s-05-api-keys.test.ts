import { inspect } from 'node:util';
import { TableClient } from '@azure/data-tables';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import type { Role } from '../../src/domain/caller.ts';
import { type Call, startTestBroker, type TestBroker } from '../support/test-broker.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
});
afterAll(() => broker.stop());

const daySeconds = 24 * 3600;
const seconds = (count: number) => broker.clock.advance(count * 1000);
const timeIn = (count: number) => new Date(broker.clock.now() + count * 1000).toISOString();
const idOf = (apiKey: string) => apiKey.split('_')[1] ?? '';
const statusOf = async (key: string) => (await broker.call('GET', '/api/oauth/me', { key, org: null })).status;
const rotate = (id: string, body: unknown = {}, call: Call = {}) =>
  broker.call('POST', `/api/oauth/callers/${id}/rotate`, { body, ...call });
const create = (body: Readonly<Record<string, unknown>>, call: Call = {}) =>
  broker.call('POST', '/api/oauth/callers', {
    body: { name: 'a key', org_ids: ['ORG1'], roles: ['reader'], ...body },
    ...call,
  });

interface Listed {
  readonly id: string;
  readonly name: string;
  readonly [field: string]: unknown;
}

async function listed(org = 'GLOBAL'): Promise<readonly Listed[]> {
  const all: Listed[] = [];
  let next = '';
  for (;;) {
    const { json } = await broker.call('GET', `/api/oauth/callers?limit=100${next}`, { org });
    all.push(...json.callers);
    if (json.continuation === null) return all;
    next = `&continuation=${encodeURIComponent(json.continuation)}`;
  }
}
const find = async (id: string) => (await listed()).find((caller) => caller.id === id);

describe('an API key (S-05)', () => {
  it('has 256 random bits, is shown once, and is kept as SHA-256 only', async () => {
    const made = await Promise.all(Array.from({ length: 20 }, () => create({})));
    const secrets = made.map(({ json }) => json.api_key.slice(-43));
    expect(new Set(secrets).size).toBe(20);
    for (const secret of secrets) expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
    const table = TableClient.fromConnectionString(inject('azuriteConnectionString'), `${broker.prefix}OAuthCallers`, {
      allowInsecureConnection: true,
    });
    let dump = JSON.stringify(await listed());
    for await (const row of table.listEntities()) dump += inspect(row);
    dump += `${broker.lines.join()}${JSON.stringify(broker.host.lines)}`;
    for (const secret of secrets) {
      for (const form of [
        secret,
        Buffer.from(secret).toString('base64'),
        Buffer.from(secret, 'base64url').toString('hex'),
      ]) {
        expect(dump).not.toContain(form);
      }
    }
  });

  it('of one organisation never works for another', async () => {
    const key = await broker.createKey(['ORG1'], ['admin', 'operator', 'reader', 'auditor']);
    for (const org of ['ORG2', 'GLOBAL', '*']) {
      expect(await broker.call('GET', '/api/oauth/connections', { key, org })).toMatchObject({
        status: 403,
        json: { error: 'organization_forbidden' },
      });
    }
  });

  it('is refused from the moment at which it expires', async () => {
    const { api_key } = (await create({ expires_at: timeIn(100) })).json;
    seconds(99);
    expect(await statusOf(api_key)).toBe(200);
    seconds(1);
    expect(await statusOf(api_key)).toBe(401);
  });

  it('with another key’s secret, or one character changed, is refused', async () => {
    const [one, other] = [await broker.createKey(['ORG1'], ['reader']), await broker.createKey(['ORG1'], ['reader'])];
    const last = one.endsWith('A') ? 'B' : 'A';
    const first = one.at(-43) === 'A' ? 'B' : 'A';
    for (const wrong of [
      `${one.slice(0, -43)}${other.slice(-43)}`,
      `${one.slice(0, -1)}${last}`,
      `${one.slice(0, -43)}${first}${one.slice(-42)}`,
    ]) {
      expect(await statusOf(wrong)).toBe(401);
    }
  });
});

describe('the last use of an API key (S-05)', () => {
  it('is written once a day, without the request waiting for it', async () => {
    const key = await broker.createKey(['ORG1'], ['reader']);
    expect(await find(idOf(key))).toMatchObject({ last_used_at: null });
    const used = broker.clock.now();
    await statusOf(key);
    const lastUse = () =>
      vi.waitFor(async () => {
        const at = (await find(idOf(key)))?.last_used_at;
        expect(at).not.toBeNull();
        return Date.parse(String(at));
      });
    const first = await lastUse();
    expect(first).toBeGreaterThanOrEqual(used);
    seconds(daySeconds / 2);
    await statusOf(key);
    expect(await lastUse()).toBe(first);
    seconds(daySeconds / 2 + 60);
    await statusOf(key);
    await vi.waitFor(async () => expect(await lastUse()).toBeGreaterThan(first));
  });

  it('is not written for a key that is refused', async () => {
    const key = await broker.createKey(['ORG1'], ['reader']);
    await statusOf(`${key.slice(0, -43)}${'A'.repeat(43)}`);
    expect(await find(idOf(key))).toMatchObject({ last_used_at: null });
  });
});

describe('the rotation of an API key (S-05)', () => {
  it('gives a new key of the same organisations, roles and end, shown this once; both work meanwhile', async () => {
    const expires_at = timeIn(10 * daySeconds);
    const old = (await create({ org_ids: ['ORG1', 'ORG2'], roles: ['reader', 'auditor'], expires_at })).json;
    const made = await rotate(old.id, { overlap_seconds: 600 });
    expect(made).toMatchObject({
      status: 201,
      json: { name: 'a key', org_ids: ['ORG1', 'ORG2'], roles: ['reader', 'auditor'], expires_at, rotated_to: null },
    });
    expect(made.json.id).not.toBe(old.id);
    expect([await statusOf(old.api_key), await statusOf(made.json.api_key)]).toEqual([200, 200]);
    expect(await find(old.id)).toMatchObject({ rotated_to: made.json.id });
    expect(JSON.stringify(await listed())).not.toContain(made.json.api_key.slice(-43));
    seconds(599);
    expect(await statusOf(old.api_key)).toBe(200);
    seconds(2);
    expect([await statusOf(old.api_key), await statusOf(made.json.api_key)]).toEqual([401, 200]);
  });

  it.each([
    ['a day, where nothing is said', {}, daySeconds],
    ['what is said', { overlap_seconds: 30 * daySeconds }, 30 * daySeconds],
  ])('ends the old key after %s', async (_what, body, overlap) => {
    const old = (await create({})).json;
    const before = broker.clock.now();
    expect((await rotate(old.id, body)).status).toBe(201);
    const end = Date.parse(String((await find(old.id))?.expires_at));
    expect(end).toBeGreaterThanOrEqual(before + overlap * 1000);
    expect(end).toBeLessThanOrEqual(broker.clock.now() + overlap * 1000);
  });

  it('ends the old key at once without an overlap, and never later than its own end', async () => {
    const old = (await create({})).json;
    await statusOf(old.api_key);
    await rotate(old.id, { overlap_seconds: 0 });
    expect(await statusOf(old.api_key)).toBe(401);
    const expires_at = timeIn(300);
    const brief = (await create({ expires_at })).json;
    expect((await rotate(brief.id)).json.expires_at).toBe(expires_at);
    expect(await find(brief.id)).toMatchObject({ expires_at });
  });

  it('happens once: 409 caller_rotated afterwards, also for many at once; the new key can be rotated', async () => {
    const old = (await create({ name: 'raced' })).json;
    const answers = await Promise.all(Array.from({ length: 6 }, () => rotate(old.id)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409, 409]);
    expect((await listed()).filter(({ name }) => name === 'raced')).toHaveLength(2);
    expect(await rotate(old.id)).toMatchObject({ status: 409, json: { error: 'caller_rotated' } });
    const next = answers.find(({ status }) => status === 201)?.json.id;
    expect((await find(old.id))?.rotated_to).toBe(next);
    expect((await rotate(next)).status).toBe(201);
  });

  it('400 for a key that has expired, 404 for one that is not there or was deleted', async () => {
    const expired = (await create({ expires_at: timeIn(5) })).json;
    seconds(6);
    expect(await rotate(expired.id)).toMatchObject({ status: 400, json: { error: 'validation_failed' } });
    const deleted = (await create({})).json;
    await broker.call('DELETE', `/api/oauth/callers/${deleted.id}`);
    for (const id of [deleted.id, '0'.repeat(32)]) {
      expect(await rotate(id)).toMatchObject({ status: 404, json: { error: 'caller_not_found' } });
    }
  });

  it.each([
    { overlap_seconds: -1 },
    { overlap_seconds: 30 * daySeconds + 1 },
    { overlap_seconds: 1.5 },
    { roles: ['admin'] },
  ])('400 for %j', async (body) => {
    const { id } = (await create({})).json;
    expect(await rotate(id, body)).toMatchObject({ status: 400, json: { error: 'validation_failed' } });
  });

  it('gives nobody a key that can do more, in more organisations or for longer than they can', async () => {
    const key = (roles: Role[], org_ids = ['ORG1'], expires_at: string | null = null) =>
      create({ roles, org_ids, expires_at }).then(({ json }) => json);
    const admin = (await key(['admin'])).api_key;
    const refusals = [
      [await key(['admin', 'reader']), 403, 'role_required'],
      [await key(['admin'], ['ORG1', 'ORG2']), 404, 'caller_not_found'],
      [await key(['admin'], ['ORG2']), 404, 'caller_not_found'],
      [await key(['admin'], ['*']), 404, 'caller_not_found'],
    ] as const;
    for (const [target, status, error] of refusals) {
      expect(await rotate(target.id, {}, { key: admin })).toMatchObject({ status, json: { error } });
      expect((await find(target.id))?.rotated_to).toBeNull();
    }
    const brief = (await key(['admin'], ['ORG1'], timeIn(600))).api_key;
    for (const target of [await key(['admin']), await key(['admin'], ['ORG1'], timeIn(700))]) {
      expect((await rotate(target.id, {}, { key: brief })).status).toBe(400);
    }
    expect((await rotate(idOf(brief), {}, { key: brief })).status).toBe(201);
    expect((await rotate((await key(['admin'])).id, {}, { key: admin })).status).toBe(201);
  });
});
