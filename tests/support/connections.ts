import { TableClient } from '@azure/data-tables';
import { inject } from 'vitest';
import { createUserAgent } from './authorization-server.ts';
import type { RawTable } from './tables-harness.ts';
import type { Result, TestBroker } from './test-broker.ts';

/** Every field of a connection's summary, as API.md names them. */
export const summaryFields = [
  'connection_name',
  'provider',
  'oauth_flow_type',
  'status',
  'status_reason',
  'status_message',
  'expires_at',
  'last_refresh_at',
  'org_id',
  'created_at',
  'updated_at',
  'client_secret_expires_at',
  'tags',
];

/** Every field of a connection's detail, as API.md names them. */
export const detailFields = [
  ...summaryFields,
  'client_id',
  'client_auth',
  'jwks_uri',
  'signing_algorithm',
  'variables',
  'authorization_url',
  'token_url',
  'issuer',
  'revocation_url',
  'introspection_url',
  'userinfo_url',
  'test_url',
  'pushed_authorization_url',
  'device_authorization_url',
  'scopes',
  'scope_separator',
  'extra_authorize_params',
  'extra_token_params',
  'fallback_client_credentials',
  'description',
  'shared_with',
  'granted_scopes',
  'missing_scopes',
  'redirect_uri',
  'has_client_secret',
  'has_fallback_api_key',
  'has_previous_client_secret',
  'has_refresh_token',
  'last_test_at',
  'next_refresh_at',
  'created_by',
  'pending_authorization',
  'failure',
  'warnings',
];

type Changes = Readonly<Record<string, unknown>>;

interface Place {
  readonly org?: string;
  readonly changes?: Changes;
}

/** A create body for client credentials at the authorization server. */
export function serviceBody({ server }: TestBroker, name: string, changes: Changes = {}): Record<string, unknown> {
  return {
    connection_name: name,
    oauth_flow_type: 'client_credentials',
    client_id: server.clients.service.clientId,
    client_secret: server.clients.service.clientSecret,
    token_url: server.endpoints.token,
    scopes: 'read',
    ...changes,
  };
}

/** Creates a connection of the code flow, or one with a body of its own. */
export async function create(broker: TestBroker, name: string, { org = 'ORG1', changes }: Place = {}): Promise<Result> {
  const created = await broker.call('POST', '/api/oauth/connections', {
    org,
    body: broker.connectionBody(name, changes),
  });
  if (created.status !== 201) throw new Error(`not created: ${created.text}`);
  return created;
}

export interface SignIn {
  readonly org?: string;
  readonly userId?: string;
  readonly login?: string;
}

/** A person signs in at the provider, for the organisation or as a user, through an existing connection. */
export async function signIn(broker: TestBroker, name: string, { org = 'ORG1', userId, login }: SignIn = {}) {
  const started = await broker.call('POST', `/api/oauth/connections/${name}/authorize`, {
    org,
    body: userId === undefined ? {} : { user_id: userId },
  });
  if (started.status !== 200) throw new Error(`not started: ${started.text}`);
  const browser = createUserAgent();
  const redirect = await browser.browse(started.json.authorization_url, login === undefined ? {} : { login });
  const landed = await browser.followTo(redirect);
  if (landed.status !== 200) throw new Error(`not connected: ${landed.html}`);
}

/** Creates a connection of the code flow and signs in. */
export async function connect(broker: TestBroker, name: string, place: Place & SignIn = {}): Promise<void> {
  await create(broker, name, place);
  await signIn(broker, name, place);
}

/** The access token that a workflow gets. */
export async function accessToken(broker: TestBroker, name: string, { org = 'ORG1', userId }: SignIn = {}) {
  const query = userId === undefined ? '' : `?user_id=${encodeURIComponent(userId)}`;
  const given = await broker.call('GET', `/api/oauth/credentials/${name}${query}`, { org });
  if (given.status !== 200) throw new Error(`no credentials: ${given.text}`);
  return given.json.access_token as string;
}

export async function detail(broker: TestBroker, name: string, org = 'ORG1') {
  return (await broker.call('GET', `/api/oauth/connections/${name}`, { org })).json;
}

export type Row = Readonly<Record<string, unknown>> & { readonly partitionKey: string; readonly rowKey: string };

/** A table of the broker, past the adapter. */
export function rawTable({ prefix }: TestBroker, table: RawTable): TableClient {
  const options = { allowInsecureConnection: true };
  return TableClient.fromConnectionString(inject('azuriteConnectionString'), `${prefix}${table}`, options);
}

/** Every row of a table, past the adapter; whole numbers as texts. */
export async function rowsOf(broker: TestBroker, table: RawTable): Promise<Row[]> {
  const client = rawTable(broker, table);
  const rows: Row[] = [];
  for await (const entity of client.listEntities()) {
    const { etag, timestamp, ...columns } = entity;
    const texts = Object.entries(columns).map(([name, value]) => [
      name,
      typeof value === 'bigint' ? `${value}` : value,
    ]);
    rows.push(Object.fromEntries(texts));
  }
  return rows;
}

export async function rowOf(broker: TestBroker, name: string, org = 'ORG1'): Promise<Row | undefined> {
  const rows = await rowsOf(broker, 'OAuthConnections');
  return rows.find(({ partitionKey, rowKey }) => partitionKey === org && rowKey === name);
}

/** What is kept: rows, and how often the vault was changed. The same before and after: nothing was written. */
export async function everythingKept(broker: TestBroker) {
  return {
    connections: await rowsOf(broker, 'OAuthConnections'),
    userGrants: await rowsOf(broker, 'OAuthUserGrants'),
    vaultChanges: vaultChanges(broker).length,
  };
}

/** The requests that set or deleted a secret, the unauthorized first tries of the client left out. */
export function vaultChanges({ vault }: TestBroker) {
  return vault.requests.filter(({ method, status }) => method !== 'GET' && status !== 401);
}

/** The state of a client secret in the vault, by the reference in the row. */
export async function secretInVault({ vault }: TestBroker, reference: unknown): Promise<number> {
  const answer = await fetch(`${vault.url}/secrets/${String(reference)}?api-version=7.6`, {
    headers: { authorization: 'Bearer test' },
  });
  await answer.body?.cancel();
  return answer.status;
}

/** What the authorization server issues from now on, newest last. */
export function issuedTokens({
  server,
}: TestBroker): { readonly access_token: string; readonly refresh_token?: string }[] {
  const issued: { access_token: string; refresh_token?: string }[] = [];
  server.provider.on('grant.success', (ctx) => void issued.push(ctx.body as never));
  return issued;
}
