import { randomBytes } from 'node:crypto';
import { QueueClient } from '@azure/storage-queue';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { refreshQueueName } from '../../src/settings.ts';
import { begin } from '../functions/support/authorizing.ts';
import { rawTable, rowsOf } from '../support/connections.ts';
import { type EntraAuthority, newSigningKey, startEntraAuthority } from '../support/entra-authority.ts';
import { spellings } from '../support/spellings.ts';
import type { RawTable } from '../support/tables-harness.ts';
import { type Call, type Result, startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { startWatchedTables, type WatchedTables } from '../support/watched-tables.ts';
import {
  type Behaviour,
  brokenOff,
  type EchoingProvider,
  elsewhere,
  errorAs200,
  failing,
  halfJson,
  hangUp,
  noHttp,
  page,
  startEchoingProvider,
} from './support/echoing-provider.ts';
import { withToken } from './support/entra-calls.ts';

const canary = (kind: string) => `${kind.replace(/\W/g, '')}Zk9${randomBytes(15).toString('base64url')}`;
const encryptionKey = randomBytes(32).toString('base64url');

let tables: WatchedTables;
let entra: EntraAuthority;
let broker: TestBroker;
let provider: EchoingProvider;
let clockMs = 0;
const answers: { readonly mode: string; readonly result: Result }[] = [];
const printed: string[] = [];
/** Every message that went to a queue, in clear. */
const sent: string[] = [];

beforeAll(async () => {
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write.bind(stream);
    vi.spyOn(stream, 'write').mockImplementation((...args: unknown[]) => {
      printed.push(String(args[0]));
      return (write as (...all: unknown[]) => boolean)(...args);
    });
  }
  const { sendMessage } = QueueClient.prototype;
  vi.spyOn(QueueClient.prototype, 'sendMessage').mockImplementation(function (this: QueueClient, text, ...rest) {
    sent.push(Buffer.from(text, 'base64').toString());
    return sendMessage.call(this, text, ...rest);
  });
  tables = await startWatchedTables();
  entra = await startEntraAuthority({ now: () => Date.now() + clockMs });
  provider = await startEchoingProvider(canary);
  const settings = { OAuthStorage: tables.connectionString, OAUTH_TOKEN_ENCRYPTION_KEY: encryptionKey };
  broker = await startTestBroker({ settings: { ...settings, ...entra.settings } });
  await prepare();
  for (const [mode, fail] of Object.entries(modes)) await meet(mode, fail);
  await broker.composition.broker.drain();
}, 60_000);
afterAll(async () => {
  vi.restoreAllMocks();
  await broker.stop();
  await Promise.all([tables.stop(), entra.stop(), provider.stop()]);
});

const learn = (kind: string, secret = canary(kind)) => {
  provider.learn(kind, secret);
  return secret;
};
const connections = '/api/oauth/connections';

/** The kinds of secrets that are there before anything fails. */
async function prepare(): Promise<void> {
  learn('encryption key', encryptionKey);
  learn('storage account key', /AccountKey=([^;]+)/.exec(inject('azuriteConnectionString'))?.[1] ?? '');
  learn('administrator’s key', broker.adminKey.slice(-43));
  const made = await broker.call('POST', '/api/oauth/callers', { body: { name: 'k', roles: ['reader'] } });
  learn('API key', made.json.api_key.slice(-43));
  const rotated = await broker.call('POST', `/api/oauth/callers/${made.json.id}/rotate`, { body: {} });
  learn('rotated API key', rotated.json.api_key.slice(-43));
}

/** A connection with a client secret and tokens of its own. */
async function connected(name: string): Promise<void> {
  const body = {
    connection_name: name,
    oauth_flow_type: 'authorization_code',
    client_id: 'app',
    client_secret: learn('client secret'),
    authorization_url: `${provider.url}/auth`,
    token_url: `${provider.url}/token`,
    revocation_url: `${provider.url}/revoke`,
    userinfo_url: `${provider.url}/me`,
    test_url: `${provider.url}/test`,
  };
  const made = await broker.call('POST', connections, { body });
  expect(made.status, made.text).toBe(201);
  const tokens = { access_token: learn('imported access token'), refresh_token: learn('imported refresh token') };
  const expires_at = new Date(broker.clock.now() + 3_600_000);
  const imported = await broker.call('POST', `${connections}/${name}/tokens`, { body: { ...tokens, expires_at } });
  expect(imported.status, imported.text).toBe(200);
}

type Fail = (name: string) => Promise<readonly Result[]>;

/** Breaks something, and notes what is answered. */
async function meet(mode: string, fail: Fail): Promise<void> {
  // So that the provider is not paused for what failed before.
  broker.clock.advance(31_000);
  clockMs += 31_000;
  const name = mode.replace(/\W/g, '-').slice(0, 90);
  await connected(name);
  for (const result of await fail(name)) answers.push({ mode, result });
  for (const path of ['/token', '/revoke', '/me', '/test']) provider.behave(path, null);
  broker.vault.faults.clear();
  tables.refuse(null);
}

const post = (path: string, body: unknown = {}, call: Call = {}) => broker.call('POST', path, { body, ...call });

/** A provider whose token endpoint misbehaves while tokens are refreshed, and while a code is redeemed. */
const atToken =
  (behaviour: Behaviour): Fail =>
  async (name) => {
    const landed = await callback(name, () => provider.behave('/token', behaviour));
    broker.clock.advance(31_000);
    return [landed, await post(`${connections}/${name}/refresh`)];
  };

/** Opens the connect page and comes back with a code. */
async function callback(name: string, before = () => {}, change: Record<string, string> = {}): Promise<Result> {
  const started = await begin(broker, name);
  learn('state', started.state);
  learn('connect link', started.connect_url.split('/').at(-1));
  const opened = await fetch(started.connect_url);
  const cookie = opened.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  learn('browser’s cookie', cookie.slice(cookie.indexOf('=') + 1));
  before();
  const query = new URLSearchParams({ state: started.state, code: learn('authorization code'), ...change });
  return broker.call('GET', `/api/oauth/callback/${name}?${query}`, { key: null, org: null, headers: { cookie } });
}

const everySecret = () => [...provider.secrets.values()].flatMap((known) => [...known]).join(' ');

const modes: Readonly<Record<string, Fail>> = {
  'a callback that works': async (name) => [await callback(name)],
  'the grant is dead': atToken(failing(400, 'invalid_grant')),
  'the client is rejected': atToken(failing(401, 'invalid_client')),
  'the scope is rejected': atToken(failing(400, 'invalid_scope')),
  'an error that nobody knows': atToken(failing(400, 'computer_says_no')),
  'too many requests': atToken(failing(429, 'slow_down')),
  'the provider fails': atToken(failing(500, 'server_error')),
  'a bad gateway': atToken(failing(502, '')),
  'a page in place of tokens': atToken(page),
  'half a JSON': atToken(halfJson),
  'a redirect': atToken(elsewhere),
  'an error that is called 200': atToken(errorAs200),
  'a broken connection': atToken(hangUp),
  'an answer that breaks off': atToken(brokenOff),
  'an answer that is no HTTP': atToken(noHttp),
  'the token does not work': async (name) => {
    provider.behave('/test', failing(401, 'invalid_token'));
    return [await post(`${connections}/${name}/test`), await callback(name)];
  },
  'the test endpoint fails': async (name) => {
    provider.behave('/test', failing(500, 'server_error'));
    return [await post(`${connections}/${name}/test`)];
  },
  'userinfo fails': async (name) => {
    provider.behave('/me', failing(500, 'server_error'));
    return [await callback(name)];
  },
  'revocation fails': async (name) => {
    provider.behave('/revoke', failing(400, 'invalid_client'));
    return [await post(`${connections}/${name}/disconnect`)];
  },
  'the vault is away': async (name) => {
    broker.vault.faults.outage();
    const body = { client_secret: learn('new client secret') };
    return [await broker.call('PUT', `${connections}/${name}`, { body })];
  },
  'the vault refuses': async (name) => {
    broker.vault.faults.respond({ status: 403, times: 9 });
    return [
      await broker.call('PUT', `${connections}/${name}`, { body: { client_secret: learn('new client secret') } }),
    ];
  },
  'storage is away': async (name) => {
    tables.refuse(/OAuthConnections/);
    const tokens = { access_token: learn('imported access token'), refresh_token: learn('imported refresh token') };
    return [await post(`${connections}/${name}/tokens`, tokens)];
  },
  'the audit log is away': async (name) => {
    tables.refuse(/OAuthAudit/);
    return [await post(`${connections}/${name}/tokens`, { access_token: learn('imported access token') })];
  },
  'the stored tokens were tampered with': async (name) => {
    const row = { partitionKey: 'ORG1', rowKey: name, sealed_0: Buffer.from(everySecret()) };
    await rawTable(broker, 'OAuthConnections').updateEntity(row, 'Merge');
    return [await broker.call('GET', `/api/oauth/credentials/${name}`), await post(`${connections}/${name}/refresh`)];
  },
  'a body that is no JSON': async () => [await post(connections, `{"client_secret":"${everySecret()}`)],
  'a field that nobody knows': async () => [
    await post(connections, { clientSecret: learn('misplaced secret'), password: everySecret() }),
  ],
  'a secret of another type': async () => [await post(connections, { client_secret: [learn('misplaced secret')] })],
  'a body that is too large': async () => [await post(connections, { client_secret: everySecret().repeat(200) })],
  'an unknown API key': async () => {
    const key = `bwl_${'0'.repeat(32)}_${learn('unknown API key', randomBytes(32).toString('base64url'))}`;
    return [await broker.call('GET', connections, { key })];
  },
  'a credential that is no key': async () => [
    await broker.call('GET', connections, { key: null, headers: { authorization: `Basic ${learn('garbage')}` } }),
  ],
  'an Entra token of nobody known': async () => {
    const token = entra.token({ claims: { oid: '0b1ec700-0000-4000-8000-00000000000f' } });
    learn('Entra token', token.split('.').at(-1));
    return [await withToken(broker, token, connections)];
  },
  'an Entra token that is forged': async () => {
    const token = entra.token({ key: { ...newSigningKey(), kid: entra.key.kid } });
    learn('forged Entra token', token.split('.').at(-1));
    return [await withToken(broker, token)];
  },
  'Entra’s keys are away': async () => {
    entra.answerWith('down');
    const token = entra.token({ key: newSigningKey() });
    learn('Entra token', token.split('.').at(-1));
    return [await withToken(broker, token)];
  },
  'an unknown path': async () => [await broker.call('GET', `/api/oauth/${learn('secret in a path')}`)],
  'a name that is a secret': async () => [await broker.call('GET', `${connections}/${learn('secret in a path')}.`)],
  'a wrong query': async () => [await broker.call('GET', `${connections}?access_token=${learn('secret in a query')}`)],
  'a callback with a made-up state': async (name) => {
    const query = `?state=${learn('made-up state')}&code=${learn('authorization code')}`;
    return [await broker.call('GET', `/api/oauth/callback/${name}${query}`, { key: null })];
  },
  'a callback that tells of an error': async (name) => [
    await callback(name, undefined, { error: 'server_error', error_description: everySecret().slice(0, 3000) }),
  ],
  'a callback from another server': async (name) => {
    const change = { issuer: provider.url, client_secret: learn('client secret') };
    await broker.call('PUT', `${connections}/${name}`, { body: change });
    return [await callback(name, undefined, { iss: `https://evil.example/${learn('secret in iss').slice(0, 0)}` })];
  },
  'a sweep of everything while the provider fails': async () => {
    provider.behave('/token', failing(503, 'temporarily_unavailable'));
    const begun = await post('/api/oauth/refresh_all');
    const asked = () => broker.call('GET', `/api/oauth/refresh_job_status?job_id=${begun.json.job_id}`);
    await vi.waitFor(async () => expect((await asked()).json.state).toBe('finished'), {
      timeout: 15_000,
      interval: 50,
    });
    return [begun, await asked()];
  },
  'a queue message that is none': async () => {
    const queue = new QueueClient(inject('azuriteConnectionString'), refreshQueueName(broker.prefix));
    await queue.sendMessage(Buffer.from(JSON.stringify({ kind: 'refresh', x: 1 })).toString('base64'));
    await vi.waitFor(() => expect(broker.lines.join('\n')).toContain('refresh_batch_poisoned'), {
      timeout: 15_000,
      interval: 50,
    });
    return [];
  },
};

function hits(content: string): string[] {
  return [...provider.secrets].flatMap(([kind, known]) =>
    [...known].some((secret) => spellings(secret).some((spelling) => content.includes(spelling))) ? [kind] : [],
  );
}

const whole = ({ status, headers, text }: Result) => `${status} ${JSON.stringify([...headers])} ${text}`;

describe('S-57 twenty kinds of secrets in thirty kinds of failures', () => {
  it('are as many, and the search finds what is there', () => {
    expect(provider.secrets.size, [...provider.secrets.keys()].join(', ')).toBeGreaterThanOrEqual(20);
    expect(Object.keys(modes).length).toBeGreaterThanOrEqual(30);
    for (const [kind, known] of provider.secrets) {
      const [secret = ''] = known;
      expect(secret.length, kind).toBeGreaterThanOrEqual(20);
      expect(hits(Buffer.from(`x${secret}`).toString('base64'))).toContain(kind);
    }
  });

  it('stand in no answer, in no header of one', () => {
    expect(answers.length).toBeGreaterThanOrEqual(45);
    for (const { mode, result } of answers) expect(hits(whole(result)), mode).toEqual([]);
  });

  it('stand in no log line of app or host, and on no console', () => {
    expect(broker.lines.length).toBeGreaterThan(50);
    for (const line of broker.lines) expect(hits(line), line).toEqual([]);
    for (const line of broker.host.lines) expect(hits(JSON.stringify(line)), line.message).toEqual([]);
    expect(hits(printed.join(''))).toEqual([]);
  });

  it('stand in no cell of a table, the audit log’s included', async () => {
    const names = ['Connections', 'UserGrants', 'Transactions', 'Workflows', 'Jobs', 'RefreshDue', 'Audit'] as const;
    for (const name of names) {
      const rows = await rowsOf(broker, `OAuth${name}` satisfies RawTable);
      // The one that the test itself wrote in clear.
      const cells = rows.filter(({ rowKey }) => !rowKey.includes('tampered')).flatMap((row) => Object.values(row));
      const texts = cells.map((cell) =>
        cell instanceof Uint8Array ? Buffer.from(cell).toString('latin1') : `${cell}`,
      );
      expect(hits(texts.join('\n')), name).toEqual([]);
    }
    expect((await rowsOf(broker, 'OAuthAudit')).length).toBeGreaterThan(50);
  });

  it('stand in no message that was put on a queue, be it to be tried or because it was given up', () => {
    expect(sent.length).toBeGreaterThanOrEqual(3);
    for (const text of sent) expect(hits(text), text).toEqual([]);
  });
});

describe('S-58 what is told of those failures', () => {
  const inner =
    /\n?\s+at \S+ \(|:\d+:\d+\)|node_modules|\/src\/|\.[cm]?[jt]s\b|OAuth[A-Z]\w+|127\.0\.0\.1|azurite|RestError|SyntaxError|TypeError|PartitionKey|undici|ECONN|\bat\s+async\b|vault\.azure|stack/;

  it('has no stack, path, host, table or library in it, and no control character', () => {
    for (const { mode, result } of answers.filter(({ result }) => result.status >= 400)) {
      expect(result.text.replaceAll(broker.url, ''), mode).not.toMatch(inner);
      expect(result.text.replaceAll('\n', ''), mode).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
      expect(result.text.length, mode).toBeLessThan(4000);
    }
  });

  it('carries a correlation id under which the log has it', () => {
    const log = broker.lines.join('\n');
    for (const { mode, result } of answers.filter(({ result }) => result.status >= 400)) {
      const id = result.headers.get('x-correlation-id') ?? '';
      expect(id, mode).toMatch(/^[\w.-]{8,64}$/);
      if (result.json?.error !== undefined) expect(result.json.correlation_id, mode).toBe(id);
      if (result.status >= 500) expect(log, mode).toContain(id);
    }
  });

  it('has at most 200 characters of a provider’s text in the log, on one line', () => {
    const details = broker.lines.map((line) => JSON.parse(line).detail).filter((detail) => typeof detail === 'string');
    expect(details.length).toBeGreaterThan(10);
    for (const detail of details) {
      expect(detail.length).toBeLessThan(260);
      expect(detail).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
    }
  });
});
