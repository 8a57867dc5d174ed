import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { closeServer, listenOnLoopback } from '../../src/host/services/loopback-server.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { credentialsOf } from './support/authorizing.ts';
import { answerNext, createGranted } from './support/granted.ts';

/** Stands in front of the tables and notes every request. */
let watch: Server;
let requests: string[] = [];
let broker: TestBroker;
beforeAll(async () => {
  const tables = /TableEndpoint=([^;]+)/.exec(inject('azuriteConnectionString'))?.[1] ?? '';
  watch = createServer(async (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { host, connection, 'content-length': _length, ...headers } = request.headers;
    const target = new URL(request.url ?? '', tables);
    const body = Buffer.concat(chunks);
    const answer = await fetch(target, {
      method: request.method ?? 'GET',
      headers: headers as Record<string, string>,
      ...(body.length > 0 && { body }),
    });
    const answered = Object.fromEntries(answer.headers);
    for (const name of ['content-encoding', 'transfer-encoding', 'connection']) delete answered[name];
    response.writeHead(answer.status, answered).end(Buffer.from(await answer.arrayBuffer()));
  });
  const port = await listenOnLoopback(watch, { name: 'watched tables', port: 0 });
  const watched = new URL(tables);
  watched.port = String(port);
  const OAuthStorage = inject('azuriteConnectionString').replace(tables, watched.href);
  broker = await startTestBroker({ settings: { OAuthStorage, CREDENTIAL_CACHE_SECONDS: '5' } });
});
afterAll(async () => {
  await broker.stop();
  await closeServer(watch);
});

const seconds = (count: number) => broker.clock.advance(count * 1000);

/** The requests to the tables while something runs. */
async function during(work: () => Promise<unknown>): Promise<string[]> {
  requests = [];
  await work();
  return requests;
}

describe('CREDENTIAL_CACHE_SECONDS=5', () => {
  it('reads no table for the second read, and reads again after five seconds', async () => {
    const { access_token } = await createGranted(broker, 'cached');
    await credentialsOf(broker, 'cached');
    const second = await during(async () => {
      expect((await credentialsOf(broker, 'cached')).json.access_token).toBe(access_token);
    });
    expect(second).toEqual([]);
    seconds(5);
    const third = await during(() => credentialsOf(broker, 'cached'));
    expect(third.filter((line) => line.startsWith('GET'))).toHaveLength(1);
  });

  it('never serves a cached token below its promised life', async () => {
    await createGranted(broker, 'waning', { expires_in: 120 });
    seconds(58);
    await credentialsOf(broker, 'waning');
    seconds(4);
    const next = answerNext(broker);
    expect((await credentialsOf(broker, 'waning')).json.access_token).toBe(next.access_token);
  });

  it('keeps callers’ roles and organisations in front of the cache (I6)', async () => {
    await createGranted(broker, 'guarded');
    await credentialsOf(broker, 'guarded');
    const admin = await broker.createKey(['ORG1'], ['admin']);
    const reader = await broker.createKey(['ORG2'], ['reader']);
    expect((await credentialsOf(broker, 'guarded', '', { key: admin })).status).toBe(403);
    expect((await credentialsOf(broker, 'guarded', '', { key: reader })).status).toBe(403);
    expect((await credentialsOf(broker, 'guarded', '', { key: reader, org: 'ORG2' })).status).toBe(404);
  });

  it.each([
    ['disconnect', 'POST', '/disconnect', {}, 503],
    ['deletion', 'DELETE', '', undefined, 404],
    ['a change of endpoints', 'PUT', '', { scopes: 'other' }, 503],
  ])('forgets at once in this process after %s (S-11)', async (what, method, suffix, body, status) => {
    const name = `forgotten-${what.replace(/\W/g, '-')}`;
    await createGranted(broker, name);
    expect((await credentialsOf(broker, name)).status).toBe(200);
    const changed = await broker.call(method, `/api/oauth/connections/${name}${suffix}`, { body });
    expect(changed.status, changed.text).toBe(200);
    expect((await credentialsOf(broker, name)).status).toBe(status);
  });

  it('forgets after an import and after a refresh by an operator', async () => {
    await createGranted(broker, 'replaced');
    const next = answerNext(broker);
    await broker.call('POST', '/api/oauth/connections/replaced/refresh', { body: {} });
    expect((await credentialsOf(broker, 'replaced')).json.access_token).toBe(next.access_token);
    await broker.call('POST', '/api/oauth/connections/replaced/tokens', { body: { access_token: 'imported-1' } });
    expect((await credentialsOf(broker, 'replaced')).json.access_token).toBe('imported-1');
  });

  it('gives an organisation its own connection as soon as it is created, in place of GLOBAL’s', async () => {
    await createGranted(broker, 'shadowed', {}, { org: 'GLOBAL' });
    expect((await credentialsOf(broker, 'shadowed')).json.org_id).toBe('GLOBAL');
    const own = await createGranted(broker, 'shadowed');
    expect((await credentialsOf(broker, 'shadowed')).json.access_token).toBe(own.access_token);
  });

  it('takes credentials from a disabled workflow at once', async () => {
    await createGranted(broker, 'switched');
    const headers = { 'x-workflow-id': 'w-1' };
    expect((await credentialsOf(broker, 'switched', '', { headers })).status).toBe(200);
    await broker.call('POST', '/api/oauth/workflows/w-1/disable', { body: {} });
    expect((await credentialsOf(broker, 'switched', '', { headers })).json.error).toBe('workflow_disabled');
  });
});
