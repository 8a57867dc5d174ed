import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createCatalogue } from '../../src/providers/create-catalogue.ts';
import { defineProvider } from '../../src/providers/define-provider.ts';
import { rawTable, rowsOf, signIn } from '../support/connections.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { detailOf } from './support/authorizing.ts';
import { type Endpoint, startEndpoint } from './support/endpoint.ts';
import { createGranted } from './support/granted.ts';

let broker: TestBroker;
let provider: Endpoint;
const sharing = {
  flows: ['refresh_token'],
  clientAuth: ['client_secret_basic'],
  rotation: 'none',
  tier: 'listed',
} as const;
beforeAll(async () => {
  provider = await startEndpoint();
  let tokenUrl = '';
  const entry = () =>
    defineProvider({
      ...sharing,
      id: 'sharing',
      name: 'Sharing',
      endpoints: { token: tokenUrl, revocation: `${provider.url}/revoke` },
      revocation: { isShared: true },
    });
  const known = createCatalogue([]);
  const providers = { list: known.list, get: (id: string) => (id === 'sharing' ? entry() : undefined) };
  broker = await startTestBroker({ providers });
  tokenUrl = broker.server.endpoints.token;
});
afterEach(() => {
  provider.answer('/revoke', { status: 200, body: {} });
  broker.vault.faults.clear();
});
afterAll(async () => {
  await broker.stop();
  await provider.stop();
});

const post = (path: string, body: unknown, call = {}) => broker.call('POST', `/api/oauth/${path}`, { body, ...call });
const disconnect = (name: string, body: unknown = {}) => post(`connections/${name}/disconnect`, body);
const pending = () => rowsOf(broker, 'OAuthRevocations');
const revokedOf = (token: string) => provider.requests.filter((request) => request.includes(token));
const here = () => ({ revocation_url: `${provider.url}/revoke` });
const unwell = () => provider.answer('/revoke', { status: 503, body: {} });
const postponed = () => expect.poll(async () => (await pending()).map(({ attempts }) => attempts)).toEqual(['1']);
/** A sweep after the backoff. */
const sweepLater = async (milliseconds = 400_000) => {
  broker.clock.advance(milliseconds);
  await broker.host.runTimer('refreshSweep');
};

describe('S-39 a revocation that the provider does not answer', () => {
  it('is tried again through the queue until it is answered; tokens are in no queue and in no row in clear', async () => {
    const tokens = await createGranted(broker, 'later', {}, {}, here());
    unwell();
    expect((await disconnect('later')).json).toMatchObject({
      revoked: false,
      status: 'not_connected',
      message: expect.stringContaining('asked again'),
    });
    await postponed();
    const rows = JSON.stringify(await pending(), (_key, value) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
    );
    for (const secret of [tokens.access_token, tokens.refresh_token, 'secret']) expect(rows).not.toContain(secret);
    provider.answer('/revoke', { status: 200, body: {} });
    await broker.host.runTimer('refreshSweep');
    expect(await pending()).toHaveLength(1);
    const before = revokedOf(tokens.refresh_token).length;
    await sweepLater();
    await expect.poll(pending).toEqual([]);
    expect(revokedOf(tokens.refresh_token)).toHaveLength(before + 1);
  });

  it('is tried again after the connection with its client secret is deleted, its users’ too', async () => {
    const own = await createGranted(broker, 'deleted', {}, {}, here());
    const user = { access_token: 'at-of-ann', refresh_token: 'rt-of-ann', user_id: 'ann' };
    expect((await post('connections/deleted/tokens', user)).status).toBe(200);
    unwell();
    expect((await broker.call('DELETE', '/api/oauth/connections/deleted')).json).toMatchObject({ revoked: false });
    await expect.poll(async () => (await pending()).map(({ attempts }) => attempts)).toEqual(['1', '1']);
    provider.answer('/revoke', { status: 200, body: {} });
    await sweepLater();
    await expect.poll(pending).toEqual([]);
    for (const token of [own.refresh_token, 'rt-of-ann']) expect(revokedOf(token).length).toBeGreaterThan(1);
  });

  it('is tried again after an answer that cannot be read: that is none', async () => {
    const { refresh_token } = await createGranted(broker, 'unreadable', {}, {}, here());
    provider.answer('/revoke', { status: 200, body: 'x'.repeat(2_000_000) });
    expect((await disconnect('unreadable')).json).toMatchObject({ revoked: false, status: 'not_connected' });
    await postponed();
    const before = revokedOf(refresh_token).length;
    provider.answer('/revoke', { status: 200, body: {} });
    await sweepLater();
    await expect.poll(pending).toEqual([]);
    expect(revokedOf(refresh_token)).toHaveLength(before + 1);
  });

  it('waits for the vault, too', async () => {
    const { refresh_token } = await createGranted(broker, 'vault-down', {}, {}, here());
    broker.clock.advance(25 * 3_600_000);
    broker.vault.faults.outage();
    expect((await disconnect('vault-down')).json.revoked).toBe(false);
    await postponed();
    expect(revokedOf(refresh_token)).toEqual([]);
    broker.vault.faults.clear();
    await sweepLater();
    await expect.poll(pending).toEqual([]);
    expect(revokedOf(refresh_token)).toHaveLength(1);
  });

  it('is given up with a line in the log a week after it began', async () => {
    await createGranted(broker, 'never', {}, {}, here());
    unwell();
    await disconnect('never');
    await postponed();
    await sweepLater(7 * 86_400_000);
    await expect.poll(pending).toEqual([]);
    expect(broker.lines.filter((line) => line.includes('revocation_given_up'))).toHaveLength(1);
  });

  it('is not kept when the provider refuses, or cannot', async () => {
    await createGranted(broker, 'refused', {}, {}, here());
    provider.answer('/revoke', { status: 400, body: { error: 'unsupported_token_type' } });
    expect((await disconnect('refused')).json.revoked).toBe(false);
    await createGranted(broker, 'cannot');
    expect((await disconnect('cannot')).json.revoked).toBe(false);
    expect(await pending()).toEqual([]);
  });

  it('is refused when its row was put in another’s place', async () => {
    await createGranted(broker, 'moved', {}, {}, here());
    unwell();
    await disconnect('moved');
    await postponed();
    const table = rawTable(broker, 'OAuthRevocations');
    const id = randomBytes(16).toString('hex');
    for await (const { etag: _etag, timestamp: _time, ...row } of table.listEntities()) {
      await table.deleteEntity(String(row.partitionKey), String(row.rowKey));
      await table.createEntity({ ...row, partitionKey: 'pending', rowKey: id });
    }
    provider.answer('/revoke', { status: 200, body: {} });
    const before = provider.requests.length;
    await sweepLater();
    await expect.poll(async () => (await pending()).map(({ attempts }) => attempts)).toEqual(['2']);
    expect(provider.requests).toHaveLength(before);
    await table.deleteEntity('pending', id);
  });
});

describe('a provider whose connections share a token', () => {
  const shared = () => ({ provider: 'sharing', token_url: undefined, revocation_url: undefined });

  it.each<[string, () => Promise<{ status: number }>, boolean]>([
    ['disconnect', () => disconnect('shared'), false],
    ['disconnect with revoke: true', () => disconnect('shared', { revoke: true }), true],
    ['delete', () => broker.call('DELETE', '/api/oauth/connections/shared'), false],
    ['delete with revoke=true', () => broker.call('DELETE', '/api/oauth/connections/shared?revoke=true'), true],
  ])('%s', async (_how, drop, isRevoked) => {
    await broker.call('DELETE', '/api/oauth/connections/shared');
    const { refresh_token } = await createGranted(broker, 'shared', {}, {}, shared());
    expect(await drop()).toMatchObject({ status: 200, json: { revoked: isRevoked } });
    expect(revokedOf(refresh_token)).toHaveLength(isRevoked ? 1 : 0);
  });

  it('is not asked with revoke: false either, as no other is', async () => {
    const { refresh_token } = await createGranted(broker, 'not-asked', {}, {}, here());
    expect((await disconnect('not-asked', { revoke: false })).json.revoked).toBe(false);
    expect(revokedOf(refresh_token)).toEqual([]);
  });
});

describe('POST /oauth/revoke', () => {
  const bulk = (body: unknown, call = {}) => post('revoke', body, { org: 'BULK', ...call });
  const names = (answer: { json: { grants: { connection_name: string; user_id: string | null }[] } }) =>
    answer.json.grants.map(({ connection_name, user_id }) =>
      user_id ? `${connection_name}/${user_id}` : connection_name,
    );
  const tokens = new Map<string, string>();

  beforeAll(async () => {
    for (const name of ['alpha', 'beta']) {
      tokens.set(name, (await createGranted(broker, name, {}, { org: 'BULK' }, here())).refresh_token);
    }
    await createGranted(
      broker,
      'gamma',
      {},
      { org: 'BULK' },
      { provider: 'sharing', token_url: undefined, revocation_url: undefined },
    );
    for (const user_id of ['ann', 'ben']) {
      await post('connections/alpha/tokens', { access_token: `at-${user_id}`, user_id }, { org: 'BULK' });
    }
    await broker.call('POST', '/api/oauth/connections', { org: 'BULK', body: broker.connectionBody('empty') });
    await broker.call('POST', '/api/oauth/connections', { org: 'GLOBAL', body: broker.connectionBody('everybodys') });
    for (const org of ['BULK', 'ELSEWHERE']) {
      await post('connections/everybodys/tokens', { access_token: `at-global-${org}`, user_id: 'ann' }, { org });
    }
    await createGranted(broker, 'alpha', {}, { org: 'ELSEWHERE' }, here());
  });

  it.each<[string, Record<string, unknown>, string[]]>([
    ['everything of the organisation', {}, ['alpha', 'alpha/ann', 'alpha/ben', 'beta', 'everybodys/ann', 'gamma']],
    ['one connection', { connection_name: 'alpha' }, ['alpha', 'alpha/ann', 'alpha/ben']],
    ['one provider', { provider: 'sharing' }, ['gamma']],
    ['one user', { user_id: 'ann' }, ['alpha/ann', 'everybodys/ann']],
    ['one maker', { created_by: 'bootstrap', connection_name: 'beta' }, ['beta']],
    ['a maker of nothing', { created_by: 'somebody' }, []],
  ])('says in a dry run what would be revoked of %s, and does nothing', async (_what, filters, wanted) => {
    const before = provider.requests.length;
    const answer = await bulk({ ...filters, dry_run: true, limit: 50 });
    expect(answer).toMatchObject({ status: 200, json: { dry_run: true, count: wanted.length, continuation: null } });
    expect(names(answer).toSorted()).toEqual(wanted);
    expect(answer.json.grants.every(({ result }: { result: string }) => result === 'would_revoke')).toBe(true);
    expect(provider.requests).toHaveLength(before);
    expect((await detailOf(broker, 'alpha', { org: 'BULK' })).json.status).toBe('completed');
  });

  it('goes on with the continuation: each grant once', async () => {
    const seen: string[] = [];
    let continuation: string | null = null;
    do {
      const answer: Awaited<ReturnType<typeof bulk>> = await bulk({ dry_run: true, limit: 1, continuation });
      expect(answer.status, answer.text).toBe(200);
      expect(answer.json.count).toBeLessThanOrEqual(2);
      seen.push(...names(answer));
      continuation = answer.json.continuation;
    } while (continuation !== null);
    expect(seen.toSorted()).toEqual(['alpha', 'alpha/ann', 'alpha/ben', 'beta', 'everybodys/ann', 'gamma']);
  });

  it('covers, for GLOBAL, the users of every organisation through its connections', async () => {
    const answer = await bulk({ dry_run: true, limit: 50 }, { org: 'GLOBAL' });
    expect(answer.json.grants.map(({ org_id }: { org_id: string }) => org_id).toSorted()).toEqual([
      'BULK',
      'ELSEWHERE',
    ]);
    expect(answer.json.grants).toMatchObject([{ connection_org_id: 'GLOBAL' }, { connection_org_id: 'GLOBAL' }]);
  });

  it('drops the tokens and has the provider revoke them, shared ones included; those that got no answer are tried again', async () => {
    unwell();
    expect((await bulk({ connection_name: 'beta', dry_run: false })).json.grants).toMatchObject([
      { result: 'pending' },
    ]);
    await postponed();
    provider.answer('/revoke', { status: 200, body: {} });
    const answer = await bulk({ dry_run: false, limit: 50 });
    const results = Object.fromEntries(
      answer.json.grants.map((each: Record<string, unknown>, at: number) => [names(answer)[at], each.result]),
    );
    expect(results).toEqual({
      alpha: 'revoked',
      'alpha/ann': 'revoked',
      'alpha/ben': 'revoked',
      gamma: 'revoked',
      'everybodys/ann': expect.stringMatching(/revoked|dropped/),
    });
    expect(revokedOf(tokens.get('alpha') ?? 'none')).toHaveLength(1);
    expect((await detailOf(broker, 'alpha', { org: 'BULK' })).json.status).toBe('not_connected');
    expect((await detailOf(broker, 'alpha', { org: 'ELSEWHERE' })).json.status).toBe('completed');
    expect((await bulk({ dry_run: false })).json).toMatchObject({ grants: [], continuation: null });
    await sweepLater();
    await expect.poll(pending).toEqual([]);
    expect(revokedOf(tokens.get('beta') ?? 'none').length).toBeGreaterThan(1);
  });

  it.each<[unknown, string]>([
    [{}, 'dry_run'],
    [{ dry_run: true, limit: 51 }, 'limit'],
    [{ dry_run: true, everything: true }, 'everything'],
    [{ dry_run: true, continuation: 'garbage' }, 'continuation'],
    [{ dry_run: true, continuation: Buffer.from('["everybody",null,null]').toString('base64url') }, 'continuation'],
  ])('400 validation_failed for %j', async (body, path) => {
    expect(await bulk(body)).toMatchObject({ status: 400, json: { details: [{ path }] } });
  });
});

describe('POST /oauth/connections/{connection_name}/introspect', () => {
  const introspect = (name: string, body: unknown = {}, call = {}) =>
    post(`connections/${name}/introspect`, body, call);

  it('gives the provider’s answer about the saved token, its own or a user’s, and never the token', async () => {
    const introspection_url = broker.server.endpoints.introspection;
    const body = broker.connectionBody('looked-at', { introspection_url });
    await broker.call('POST', '/api/oauth/connections', { body });
    await signIn(broker, 'looked-at');
    await signIn(broker, 'looked-at', { userId: 'ann', login: 'bob' });
    const own = await introspect('looked-at');
    expect(own).toMatchObject({ status: 200, json: { active: true, client_id: 'app', token_type: 'Bearer' } });
    expect((await introspect('looked-at', { user_id: 'ann' })).json.sub).not.toBe(own.json.sub);
    expect((await introspect('looked-at', { token: 'refresh_token' })).json.active).toBe(true);
  });

  it('leaves out whatever repeats the token', async () => {
    const { access_token } = await createGranted(broker, 'echo', {}, {}, { introspection_url: `${provider.url}/say` });
    provider.answer('/say', {
      status: 200,
      body: { active: true, token: access_token, more: [`x${access_token}`], a: 1 },
    });
    const { json, text } = await introspect('echo');
    expect(json).toEqual({ active: true, a: 1 });
    expect(text).not.toContain(access_token);
  });

  it('400 validation_failed without an introspection_url, 503 connection_not_ready without a token', async () => {
    await createGranted(broker, 'no-endpoint');
    expect(await introspect('no-endpoint')).toMatchObject({
      status: 400,
      json: { details: [{ path: 'introspection_url' }] },
    });
    const body = broker.connectionBody('no-token', { introspection_url: broker.server.endpoints.introspection });
    await broker.call('POST', '/api/oauth/connections', { body });
    expect(await introspect('no-token')).toMatchObject({ status: 503, json: { error: 'connection_not_ready' } });
  });

  it.each([
    [401, {}, 'provider_rejected_client'],
    [503, {}, 'provider_unavailable'],
    [200, { no: 'introspection' }, 'provider_answer_invalid'],
  ])('503 when the provider answers %i %j', async (status, body, code) => {
    provider.answer('/say', { status, body });
    expect(await introspect('echo')).toMatchObject({ status: 503, json: { error: code } });
  });

  it('404 for another organisation’s, 403 for a GLOBAL connection’s own grant', async () => {
    expect((await introspect('echo', {}, { org: 'ORG9' })).status).toBe(404);
    expect((await introspect('everybodys')).json.error).toBe('organization_forbidden');
  });
});
