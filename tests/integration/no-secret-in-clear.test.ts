import { readdir, readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { QueueClient } from '@azure/storage-queue';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { closeServer, listenOnLoopback } from '../../src/host/services/loopback-server.ts';
import { type EntraAuthority, newSigningKey, startEntraAuthority } from '../support/entra-authority.ts';
import { createRunningHosts, type LiveHost, openTable, type RunningHosts } from '../support/running-hosts.ts';
import { spellings } from '../support/spellings.ts';

const canary = (kind: string, index = 0) => `canary-${kind}-${index}-Zk9Qw3Lx7Vb1Nm5Rt8Yp2`;
const clientSecret = canary('client-secret');
const secondSecret = canary('second-secret');
const importedToken = canary('imported');

let hosts: RunningHosts;
let host: LiveHost;
let entra: EntraAuthority;
let issued = 0;
let failing = false;
const said: string[] = [];
/** Keys of callers and tokens of Entra: what the scenario was let in by, or tried to be. */
const credentials: string[] = [];

/** A provider whose every token is a canary, and which can be told to fail with canaries in its answers. */
const provider = createServer((request, response) => void answer(request, response));

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  await text(request);
  const send = (status: number, body: unknown) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  if (failing) {
    const leak = `${clientSecret} ${canary('refresh', issued)} ${canary('access', issued)}`;
    return send(400, { error: 'invalid_client', error_description: leak, echoed: leak });
  }
  issued += 1;
  send(200, {
    access_token: canary('access', issued),
    refresh_token: canary('refresh', issued),
    token_type: 'Bearer',
    expires_in: 3600,
  });
}

beforeAll(async () => {
  const port = await listenOnLoopback(provider, { name: 'canary provider', port: 0 });
  hosts = await createRunningHosts();
  entra = await startEntraAuthority({ now: () => Date.now() });
  host = await hosts.start(entra.settings);
  await scenario(`http://127.0.0.1:${port}`);
}, 60_000);
afterAll(async () => {
  await hosts.stopAll();
  await Promise.all([closeServer(provider), entra.stop()]);
});

async function say(method: string, path: string, body?: unknown): Promise<void> {
  said.push((await host.call(method, path, body)).text);
}

/** Everything that handles a token or a secret, with successes and failures. */
async function scenario(origin: string): Promise<void> {
  const common = {
    client_id: 'id',
    client_secret: clientSecret,
    token_url: `${origin}/token`,
    revocation_url: `${origin}/revoke`,
  };
  const minted = { connection_name: 'minted', oauth_flow_type: 'client_credentials', ...common };
  await say('POST', '/api/oauth/connections?connect=true', minted);
  await say('POST', '/api/oauth/connections', minted);
  await say('POST', '/api/oauth/connections', { ...minted, connection_name: 'bad', client_secret: [clientSecret] });
  const kept = { connection_name: 'kept', oauth_flow_type: 'refresh_token', ...common, refresh_token: importedToken };
  await say('POST', '/api/oauth/connections', kept);
  await host.call('GET', '/api/oauth/credentials/kept');
  await say('POST', '/api/oauth/connections/kept/refresh', {});
  await say('POST', '/api/oauth/connections/kept/tokens', { refresh_token: importedToken, user_id: 'alice' });
  await say('PUT', '/api/oauth/connections/minted', { client_secret: secondSecret });
  await say('POST', '/api/oauth/refresh_all', {});
  failing = true;
  await say('POST', '/api/oauth/connections/kept/refresh', {});
  await say('POST', '/api/oauth/connections/minted/test', {});
  await host.lapse('minted');
  await say('GET', '/api/oauth/credentials/minted');
  await say('POST', '/api/oauth/connections/kept/disconnect', { user_id: 'alice' });
  failing = false;
  await callers();
  await failingMessage();
  for (const path of ['', '/kept', '/minted', '/kept/grants', '/kept/events'])
    await say('GET', `/api/oauth/connections${path}`);
  for (const path of ['audit', 'callers', 'me', 'refresh_job_status']) await say('GET', `/api/oauth/${path}`);
}

/** Keys that are made, rotated and unknown, and tokens of Entra: of somebody, of nobody, and forged. */
async function callers(): Promise<void> {
  const made = await host.call('POST', '/api/oauth/callers', { name: 'canary', roles: ['operator'] });
  const rotated = await host.call('POST', `/api/oauth/callers/${made.json.id}/rotate`, {});
  const unknown = `bwl_${'0'.repeat(32)}_${Buffer.from(canary('unknown-key')).toString('base64url').slice(0, 43)}`;
  const keys = [made.json.api_key, rotated.json.api_key, unknown];
  const forged = { ...newSigningKey(), kid: entra.key.kid };
  const tokens = [entra.token(), entra.token({ claims: { exp: 1 } }), entra.token({ key: forged })];
  for (const credential of [...keys, ...tokens]) {
    credentials.push(credential.slice(-43));
    const headers = { authorization: `Bearer ${credential}`, 'x-organization-id': 'ORG1' };
    const answer = await fetch(`${host.url}/api/oauth/connections`, { headers });
    said.push(`${JSON.stringify([...answer.headers])} ${await answer.text()}`);
  }
}

const queue = (name: string) => new QueueClient(host.hostJson.settings.OAuthStorage ?? '', name);

/** A message that fails: the host keeps it, to try it again. */
async function failingMessage(): Promise<void> {
  await queue('oauth-refresh').sendMessage(Buffer.from('{"kind":"refresh"}').toString('base64'));
  const log = () => readFile(join(hosts.folder, 'home', 'bowline.log'), 'utf8').catch(() => '');
  await vi.waitFor(async () => expect(await log()).toContain('Function failed'), { timeout: 20_000, interval: 100 });
}

function secrets(): string[] {
  const tokens = Array.from({ length: issued }, (_, index) => [
    canary('access', index + 1),
    canary('refresh', index + 1),
  ]);
  return [clientSecret, secondSecret, importedToken, ...credentials, ...tokens.flat()];
}

function hits(content: string): string[] {
  return secrets().filter((secret) => spellings(secret).some((spelling) => content.includes(spelling)));
}

async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

describe('tokens and secrets (S-41, S-57)', () => {
  it('were issued and read by the scenario', async () => {
    expect(issued).toBeGreaterThanOrEqual(4);
    expect(hits(`… ${canary('access', 1)} …`)).toEqual([canary('access', 1)]);
    expect(hits(Buffer.from(`xy${clientSecret}`).toString('base64'))).toEqual([clientSecret]);
  });

  it('stand in no answer but that of the credentials', () => {
    expect(said.flatMap(hits)).toEqual([]);
  });

  it('stand in no cell of a table', async () => {
    for (const name of [
      'OAuthConnections',
      'OAuthUserGrants',
      'OAuthTransactions',
      'OAuthCallers',
      'OAuthWorkflows',
      'OAuthJobs',
      'OAuthRefreshDue',
      'OAuthAudit',
      'OAuthRevocations',
    ]) {
      for await (const entity of openTable(host.hostJson, name).listEntities()) {
        const cells = Object.values(entity).map((cell) =>
          cell instanceof Uint8Array ? Buffer.from(cell).toString('latin1') : String(cell),
        );
        expect(cells.flatMap(hits), name).toEqual([]);
      }
    }
  });

  it('stand in no message that waits on a queue, given up or not', async () => {
    for (const name of ['oauth-refresh', 'oauth-refresh-poison']) {
      const { peekedMessageItems } = await queue(name).peekMessages({ numberOfMessages: 32 });
      const texts = peekedMessageItems.map(({ messageText }) => Buffer.from(messageText, 'base64').toString());
      expect(texts.flatMap(hits), name).toEqual([]);
    }
  });

  it('stand in no log line, on no console and in no file but the emulated vault', async () => {
    expect(hits(host.process.stdout() + host.process.stderr())).toEqual([]);
    const files = await filesUnder(hosts.folder);
    expect(files.length).toBeGreaterThan(5);
    for (const file of files.filter((path) => !path.includes('vault'))) {
      expect(hits(await readFile(file, 'latin1')), file).toEqual([]);
    }
  });
});
