import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import type { Call, TestBroker } from '../../support/test-broker.ts';

/** What a made-up token endpoint answers. Every token in it is unique. */
export function tokenAnswer(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> & {
  readonly access_token: string;
  readonly refresh_token: string;
} {
  const id = randomBytes(12).toString('hex');
  return {
    access_token: `at-${id}`,
    refresh_token: `rt-${id}`,
    token_type: 'Bearer',
    expires_in: 3600,
    ...changes,
  };
}

/** The next token request gets this answer. Resolves to it. */
export function answerNext(broker: TestBroker, changes: Readonly<Record<string, unknown>> = {}) {
  const body = tokenAnswer(changes);
  broker.server.tokens.respondNext({ status: 200, body });
  return body;
}

/** The next token requests fail as a provider says it. */
export function failNext(
  broker: TestBroker,
  status: number,
  error: string,
  more: { readonly times?: number; readonly headers?: Readonly<Record<string, string>> } = {},
): void {
  broker.server.tokens.respondNext({ status, body: { error }, ...more });
}

/** Creates a connection that holds a refresh token and no access token yet: the first read refreshes. */
export async function createRefreshing(
  broker: TestBroker,
  name: string,
  changes: Readonly<Record<string, unknown>> = {},
  call: Call = {},
): Promise<void> {
  const body = broker.connectionBody(name, {
    oauth_flow_type: 'refresh_token',
    authorization_url: null,
    revocation_url: null,
    userinfo_url: null,
    issuer: null,
    refresh_token: `rt-first-of-${name}`,
    ...changes,
  });
  const created = await broker.call('POST', '/api/oauth/connections', { ...call, body });
  expect(created.status, created.text).toBe(201);
}

/** The same with an access token of the given answer in it. */
export async function createGranted(
  broker: TestBroker,
  name: string,
  answer: Readonly<Record<string, unknown>> = {},
  call: Call = {},
  changes: Readonly<Record<string, unknown>> = {},
) {
  await createRefreshing(broker, name, changes, call);
  const tokens = answerNext(broker, answer);
  const first = await broker.call('GET', `/api/oauth/credentials/${name}`, call);
  expect(first.status, first.text).toBe(200);
  expect(first.json.access_token).toBe(tokens.access_token);
  return tokens;
}

/** Creates a connection that gets its tokens with the client's own credentials. */
export async function createMinting(
  broker: TestBroker,
  name: string,
  changes: Readonly<Record<string, unknown>> = {},
  call: Call = {},
): Promise<void> {
  const body = broker.connectionBody(name, {
    oauth_flow_type: 'client_credentials',
    client_id: broker.server.clients.service.clientId,
    client_secret: broker.server.clients.service.clientSecret,
    authorization_url: null,
    userinfo_url: null,
    scopes: null,
    ...changes,
  });
  const created = await broker.call('POST', '/api/oauth/connections', { ...call, body });
  expect(created.status, created.text).toBe(201);
}
