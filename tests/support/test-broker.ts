import { createHash, randomBytes } from 'node:crypto';
import { app, output } from '@azure/functions';
import { QueueClient } from '@azure/storage-queue';
import { inject } from 'vitest';
import { type Composition, compose } from '../../src/composition.ts';
import type { Role } from '../../src/domain/caller.ts';
import { registerFunctions } from '../../src/functions/register.ts';
import { type KeyVaultEmulator, startKeyVaultEmulator } from '../../src/host/services/key-vault/index.ts';
import type { ProviderCatalogue } from '../../src/ports/provider-catalogue.ts';
import { defaultRefreshSchedule, loadSettings, refreshQueueName, type Settings } from '../../src/settings.ts';
import type { RekeyLimits } from '../../src/usecases/rekey/work-rekey.ts';
import {
  type AuthorizationServer,
  type AuthorizationServerOptions,
  startAuthorizationServer,
} from './authorization-server.ts';
import { startTestHost, type TestHost } from './functions-host-fixture.ts';
import { createTestClock, type TestClock } from './test-clock.ts';

export interface Call {
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: ORG1. Null: the header is left out. */
  readonly org?: string | null;
  /** Default: the first administrator's key. Null: none. */
  readonly key?: string | null;
}

export interface Result {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON, or undefined when it is none. */
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came
  readonly json: any;
}

/** A whole broker: the registered functions on a host, real storage, a vault emulator and a real authorization server. */
export interface TestBroker {
  readonly url: string;
  readonly host: TestHost;
  readonly adminKey: string;
  readonly clock: TestClock;
  readonly vault: KeyVaultEmulator;
  readonly server: AuthorizationServer;
  readonly composition: Composition;
  readonly settings: Settings;
  /** The table prefix of this broker alone. */
  readonly prefix: string;
  /** Every line that was logged. */
  readonly lines: readonly string[];
  call(method: string, path: string, call?: Call): Promise<Result>;
  /** Makes an API key. */
  createKey(orgIds: readonly string[], roles: readonly Role[]): Promise<string>;
  /** A create body for the authorization server: by default the code flow with the `basic` client. */
  connectionBody(name: string, changes?: Readonly<Record<string, unknown>>): Record<string, unknown>;
  stop(): Promise<void>;
}

export interface TestBrokerOptions {
  readonly settings?: Readonly<Record<string, string>>;
  readonly server?: AuthorizationServerOptions;
  readonly leaseMs?: number;
  readonly rekeyLimits?: RekeyLimits;
  /** Default: the one Azurite that serves all suites. */
  readonly connectionString?: string;
  /** Default: the machine's clock, which the test can put forward. */
  readonly clock?: TestClock;
  /** In place of the real catalogue. */
  readonly providers?: ProviderCatalogue;
  /** Another process beside this one, or after it: storage, vault, server and clock are its own. It must be stopped last. */
  readonly beside?: TestBroker;
}

export async function startTestBroker(options: TestBrokerOptions = {}): Promise<TestBroker> {
  const connectionString = options.connectionString ?? inject('azuriteConnectionString');
  const { beside } = options;
  const prefix = beside?.prefix ?? `t${randomBytes(6).toString('hex')}`;
  const adminKey = beside?.adminKey ?? `bwl_${randomBytes(8).toString('hex')}_${randomBytes(32).toString('base64url')}`;
  const [vault, server] = await Promise.all([
    beside?.vault ?? startKeyVaultEmulator(),
    beside?.server ?? startAuthorizationServer(options.server),
  ]);
  const clock = beside?.clock ?? options.clock ?? createTestClock();
  const lines: string[] = [];
  const queueName = refreshQueueName(prefix);
  await new QueueClient(connectionString, queueName).createIfNotExists();
  let started: { composition: Composition; settings: Settings } | undefined;

  const host = await startTestHost(
    async (baseUrl) => {
      const settings = loadSettings({
        OAuthStorage: connectionString,
        AZURE_KEY_VAULT_URL: vault.url,
        OAUTH_TOKEN_ENCRYPTION_KEY: randomBytes(32).toString('base64url'),
        PUBLIC_BASE_URL: baseUrl,
        TABLE_PREFIX: prefix,
        BOOTSTRAP_ADMIN_KEY_SHA256: createHash('sha256').update(adminKey).digest('hex'),
        ALLOW_INSECURE_LOOPBACK: 'true',
        CREDENTIAL_CACHE_SECONDS: '0',
        ...options.settings,
      });
      const composition = compose(settings, (line) => lines.push(line), {
        clock,
        ...(options.leaseMs !== undefined && { leaseMs: options.leaseMs }),
        ...(options.rekeyLimits !== undefined && { rekeyLimits: options.rekeyLimits }),
        ...(options.providers !== undefined && { providers: options.providers }),
      });
      if (beside === undefined) await composition.createTables();
      started = { composition, settings };
      registerFunctions(
        { app, output },
        {
          broker: () => composition.broker,
          refreshSchedule: defaultRefreshSchedule,
          queueName,
          onStop: () => composition.broker.drain(),
        },
      );
    },
    { openQueue: (_connection, name) => new QueueClient(connectionString, name) },
  );
  if (started === undefined) throw new Error('the host did not load the app');
  const { composition, settings } = started;
  const call = caller(host.url, adminKey);

  return {
    url: host.url,
    host,
    adminKey,
    clock,
    vault,
    server,
    composition,
    settings,
    prefix,
    lines,
    call,
    createKey: async (orgIds, roles) => {
      const made = await call('POST', '/api/oauth/callers', {
        org: null,
        body: { name: 'test', org_ids: orgIds, roles },
      });
      if (made.status !== 201) throw new Error(`no key: ${made.text}`);
      return made.json.api_key;
    },
    connectionBody: (name, changes = {}) => ({
      connection_name: name,
      oauth_flow_type: 'authorization_code',
      client_id: server.clients.basic.clientId,
      client_secret: server.clients.basic.clientSecret,
      authorization_url: server.endpoints.authorization,
      token_url: server.endpoints.token,
      revocation_url: server.endpoints.revocation,
      userinfo_url: server.endpoints.userinfo,
      issuer: server.issuer,
      scopes: 'openid,read',
      ...changes,
    }),
    stop: async () => {
      await host.stop();
      await composition.close();
      if (beside === undefined) await Promise.all([vault.stop(), server.stop()]);
    },
  };
}

function caller(baseUrl: string, adminKey: string): TestBroker['call'] {
  return async (method, path, { body, headers = {}, org = 'ORG1', key = adminKey } = {}) => {
    const response = await fetch(`${baseUrl}${path}`, {
      method,
      redirect: 'manual',
      headers: {
        ...(key !== null && { 'x-api-key': key }),
        ...(org !== null && { 'x-organization-id': org }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: parse(text) };
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
