import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { rowOf, secretInVault, signIn } from '../support/connections.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { connect, createConnection, credentialsOf, detailOf } from './support/authorizing.ts';
import { createMinting } from './support/granted.ts';

let broker: TestBroker;
/** What the authorization server accepts of the client, now. */
let accepted: Set<string>;
beforeAll(async () => {
  broker = await startTestBroker();
  // The library knows one secret: the one sent is put in its place as long as it is among those accepted.
  const { Client } = broker.server.provider;
  Client.prototype.compareClientSecret = async (given: string) => accepted.has(given);
});
afterEach(() => broker.server.tokens.reset());
afterAll(() => broker.stop());

const put = (name: string, body: unknown) => broker.call('PUT', `/api/oauth/connections/${name}`, { body });
const refresh = (name: string, userId?: string) =>
  broker.call('POST', `/api/oauth/connections/${name}/refresh`, {
    body: userId === undefined ? {} : { user_id: userId },
  });
const secretsOf = async (name: string) => {
  const row = await rowOf(broker, name);
  return { current: row?.client_secret_ref, previous: row?.previous_client_secret_ref };
};

describe('a new client_secret', () => {
  it('may be set before the provider knows it: the old one serves until then, and goes at the first success', async () => {
    accepted = new Set(['old']);
    await createMinting(broker, 'early', { client_secret: 'old' });
    await refresh('early');
    const before = await secretsOf('early');
    expect((await put('early', { client_secret: 'new' })).json.has_previous_client_secret).toBe(true);
    expect(await secretsOf('early')).toMatchObject({ previous: before.current });
    expect((await refresh('early')).json).toMatchObject({ refreshed: true, status: 'completed' });
    expect(await secretInVault(broker, before.current)).toBe(200);
    accepted.add('new');
    expect((await refresh('early')).json.refreshed).toBe(true);
    expect(await secretsOf('early')).toMatchObject({ previous: '' });
    expect(await secretInVault(broker, before.current)).toBe(404);
    accepted.delete('old');
    expect((await refresh('early')).json.refreshed).toBe(true);
    expect((await detailOf(broker, 'early')).json).toMatchObject({ has_previous_client_secret: false, failure: null });
  });

  it('keeps, of three in a row, the last that was accepted', async () => {
    accepted = new Set(['first']);
    await createMinting(broker, 'thrice', { client_secret: 'first' });
    const { current: first } = await secretsOf('thrice');
    await put('thrice', { client_secret: 'second' });
    const { current: second } = await secretsOf('thrice');
    await put('thrice', { client_secret: 'third' });
    expect(await secretsOf('thrice')).toMatchObject({ previous: first });
    expect(await secretInVault(broker, second)).toBe(404);
    expect((await refresh('thrice')).json.refreshed).toBe(true);
  });

  it('is tried before the old one, each once, when the provider takes neither', async () => {
    accepted = new Set();
    await createMinting(broker, 'neither', { client_secret: 'old' });
    await put('neither', { client_secret: 'new' });
    expect((await refresh('neither')).json.error).toBe('provider_rejected_client');
    expect(broker.server.tokens.count()).toBe(2);
    expect((await secretsOf('neither')).previous).not.toBe('');
  });

  it('does not send the old one to a new address, or for another client', async () => {
    accepted = new Set(['old']);
    for (const [name, change] of [
      ['moved', { token_url: 'https://login.example.com/token' }],
      ['other-client', { client_id: 'another' }],
    ] as const) {
      await createMinting(broker, name, { client_secret: 'old' });
      const { current } = await secretsOf(name);
      await put(name, { client_secret: 'new', ...change });
      expect(await secretsOf(name)).toMatchObject({ previous: '' });
      expect(await secretInVault(broker, current)).toBe(404);
    }
  });

  it('goes with the old one when the connection is deleted', async () => {
    accepted = new Set(['old']);
    await createMinting(broker, 'deleted', { client_secret: 'old' });
    await put('deleted', { client_secret: 'new' });
    const { current, previous } = await secretsOf('deleted');
    await broker.call('DELETE', '/api/oauth/connections/deleted');
    expect(await secretInVault(broker, current)).toBe(404);
    expect(await secretInVault(broker, previous)).toBe(404);
  });

  it('serves a sign-in that ends while the provider knows only the old one', async () => {
    accepted = new Set(['old']);
    await createConnection(broker, 'sign-in', { client_secret: 'old' });
    await put('sign-in', { client_secret: 'new' });
    await connect(broker, 'sign-in');
    expect((await detailOf(broker, 'sign-in')).json).toMatchObject({
      status: 'completed',
      has_previous_client_secret: true,
    });
  });

  it('costs no connection while 200 refreshes run: the provider accepts both, then only the new (S-66)', async () => {
    accepted = new Set(['old']);
    await createConnection(broker, 'busy', { client_secret: 'old' });
    const users = Array.from({ length: 10 }, (_, at) => `u${at}`);
    for (const userId of users) await signIn(broker, 'busy', { userId, login: 'alice' });
    const before = await secretsOf('busy');
    let done = 0;
    const failures: string[] = [];
    const work = users.map(async (userId) => {
      for (let round = 0; round < 20; round += 1) {
        const { status, text } = await refresh('busy', userId);
        if (status !== 200) failures.push(text);
        done += 1;
      }
    });
    await expect.poll(() => done, { timeout: 20_000, interval: 10 }).toBeGreaterThan(40);
    accepted.add('new');
    await put('busy', { client_secret: 'new' });
    await expect.poll(() => done, { timeout: 20_000, interval: 10 }).toBeGreaterThan(100);
    accepted.delete('old');
    await Promise.all(work);
    expect(failures).toEqual([]);
    expect(await secretsOf('busy')).toMatchObject({ previous: '' });
    expect(await secretInVault(broker, before.current)).toBe(404);
    const { json } = await broker.call('GET', '/api/oauth/connections/busy/grants');
    expect(json.grants.map(({ status }: { status: string }) => status)).toEqual(users.map(() => 'completed'));
  }, 60_000);

  it('makes a process that still has the old reference look again, once', async () => {
    accepted = new Set(['old']);
    await createMinting(broker, 'stale', { client_secret: 'old' });
    await refresh('stale');
    const held = broker.server.tokens.holdNext();
    const flight = refresh('stale');
    await held.waiting();
    accepted = new Set(['new']);
    await put('stale', { client_secret: 'new' });
    held.release();
    expect((await flight).json).toMatchObject({ refreshed: true });
  });
});

describe('client_secret_expires_at', () => {
  const at = (days: number) => new Date(broker.clock.now() + days * 86_400_000).toISOString();

  it('is shown in summary and detail, and warned of from 30 days before', async () => {
    await createMinting(broker, 'ending', { client_secret_expires_at: at(40) });
    expect((await detailOf(broker, 'ending')).json.warnings).toEqual([]);
    const expiresAt = at(29);
    const changed = await put('ending', { client_secret_expires_at: expiresAt });
    expect(changed.json).toMatchObject({
      client_secret_expires_at: expiresAt,
      warnings: [{ code: 'client_secret_expires', message: expect.stringContaining('29 day(s)') }],
    });
    const { json } = await broker.call('GET', '/api/oauth/connections?search=ending');
    expect(json.connections).toMatchObject([{ client_secret_expires_at: expiresAt }]);
    await put('ending', { client_secret_expires_at: at(-1) });
    expect((await detailOf(broker, 'ending')).json.warnings).toMatchObject([{ code: 'client_secret_expired' }]);
  });

  it('does not drop the tokens when it changes, and ends with its secret', async () => {
    accepted = new Set(['old']);
    await createMinting(broker, 'kept', { client_secret: 'old' });
    const { json } = await credentialsOf(broker, 'kept');
    await put('kept', { client_secret_expires_at: at(3) });
    expect((await credentialsOf(broker, 'kept')).json.access_token).toBe(json.access_token);
    expect((await put('kept', { client_secret: 'new' })).json).toMatchObject({
      client_secret_expires_at: null,
      warnings: [],
    });
  });

  it('400 validation_failed for what is no time', async () => {
    expect(await put('kept', { client_secret_expires_at: 'soon' })).toMatchObject({
      status: 400,
      json: { details: [{ path: 'client_secret_expires_at' }] },
    });
  });
});
