import { createServer, type Server } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { closeServer, listenOnLoopback } from '../../src/host/services/loopback-server.ts';
import { rowOf } from '../support/connections.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';

interface TableRequest {
  readonly method: string;
  readonly body: string;
}

/** Stands in front of the tables and refuses the requests that it is told to. */
let front: Server;
let broker: TestBroker;
let isRefused: (request: TableRequest) => boolean = () => false;
beforeAll(async () => {
  const tables = /TableEndpoint=([^;]+)/.exec(inject('azuriteConnectionString'))?.[1] ?? '';
  front = createServer(async (request, response) => {
    const { method = 'GET', url = '' } = request;
    const sent = await buffer(request);
    if (isRefused({ method, body: sent.toString() })) return void response.writeHead(403).end();
    const { host, connection, 'content-length': _length, ...headers } = request.headers;
    const body = sent.length > 0 ? { body: new Uint8Array(sent) } : {};
    const answer = await fetch(new URL(url, tables), { method, headers: headers as Record<string, string>, ...body });
    const answered = Object.fromEntries(answer.headers);
    for (const name of ['content-encoding', 'transfer-encoding', 'connection']) delete answered[name];
    response.writeHead(answer.status, answered).end(Buffer.from(await answer.arrayBuffer()));
  });
  const fronted = new URL(tables);
  fronted.port = String(await listenOnLoopback(front, { name: 'tables', port: 0 }));
  const OAuthStorage = inject('azuriteConnectionString').replace(tables, fronted.href);
  broker = await startTestBroker({ settings: { OAuthStorage } });
});
afterEach(() => {
  isRefused = () => false;
});
afterAll(async () => {
  await broker.stop();
  await closeServer(front);
});

const isReference = ({ method, body }: TableRequest) => method !== 'GET' && /"client_secret_ref":"\w/.test(body);
const post = (name: string) =>
  broker.call('POST', '/api/oauth/connections', {
    body: broker.connectionBody(name, { client_secret: 'kept-secret' }),
  });

async function enabledSecrets(): Promise<unknown[]> {
  const answer = await fetch(`${broker.vault.url}/secrets?api-version=7.6`, {
    headers: { authorization: 'Bearer test' },
  });
  const { value } = (await answer.json()) as { value: { attributes: { enabled: boolean } }[] };
  return value.filter(({ attributes }) => attributes.enabled);
}
const putsIntoVault = () => broker.vault.requests.filter(({ method, status }) => method === 'PUT' && status === 200);

describe('creating a connection while storage fails after the vault took the client secret', () => {
  it('leaves neither connection nor secret behind, and the name free', async () => {
    isRefused = isReference;
    const puts = putsIntoVault().length;
    const refused = await post('taken-back');
    expect(refused, refused.text).toMatchObject({ status: 503, json: { error: 'storage_unavailable' } });
    expect(putsIntoVault()).toHaveLength(puts + 1);
    expect(await rowOf(broker, 'taken-back')).toBeUndefined();
    expect(await enabledSecrets()).toEqual([]);
    isRefused = () => false;
    expect((await post('taken-back')).status).toBe(201);
    await broker.call('DELETE', '/api/oauth/connections/taken-back');
  });

  it('leaves no secret behind though the connection cannot be taken back either', async () => {
    let isDown = false;
    isRefused = (request) => {
      isDown ||= isReference(request);
      return isDown;
    };
    expect((await post('left')).status).toBe(503);
    expect(await enabledSecrets()).toEqual([]);
    expect(broker.lines.join('\n')).toContain('connection_without_secret_left');
  });
});
