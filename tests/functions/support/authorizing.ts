import { expect } from 'vitest';
import type { Page, UserAgent } from '../../support/authorization-server/user-agent.ts';
import { createUserAgent, type SignInOptions } from '../../support/authorization-server.ts';
import type { Call, Result, TestBroker } from '../../support/test-broker.ts';

export interface Started {
  readonly authorization_url: string;
  readonly connect_url: string;
  readonly state: string;
  readonly expires_at: string;
}

/** Creates a connection of the code flow, as `connectionBody` has it. */
export async function createConnection(
  broker: TestBroker,
  name: string,
  changes: Readonly<Record<string, unknown>> = {},
  call: Call = {},
): Promise<Result> {
  const created = await broker.call('POST', '/api/oauth/connections', {
    ...call,
    body: broker.connectionBody(name, changes),
  });
  expect(created.status, created.text).toBe(201);
  return created;
}

/** Begins an authorization that must not be refused. */
export async function begin(broker: TestBroker, name: string, body: unknown = {}, call: Call = {}): Promise<Started> {
  const started = await broker.call('POST', `/api/oauth/connections/${name}/authorize`, { ...call, body });
  expect(started.status, started.text).toBe(200);
  return started.json;
}

/** Signs in at the provider. Resolves to the redirect back to Bowline, not followed. */
export function signIn(
  started: Started,
  options?: SignInOptions,
  browser: UserAgent = createUserAgent(),
): Promise<URL> {
  return browser.browse(started.authorization_url, options);
}

/** One GET of a callback, in a browser without cookies unless one is given. */
export function land(redirect: URL | string, browser: UserAgent = createUserAgent()): Promise<Page> {
  return browser.open(redirect);
}

/** A whole authorization, which must succeed. */
export async function connect(
  broker: TestBroker,
  name: string,
  options: { readonly body?: unknown; readonly call?: Call; readonly login?: string } = {},
): Promise<Page> {
  const started = await begin(broker, name, options.body, options.call);
  const page = await land(await signIn(started, options.login === undefined ? {} : { login: options.login }));
  expect(page.status, page.html).toBe(200);
  return page;
}

export function detailOf(broker: TestBroker, name: string, call: Call = {}): Promise<Result> {
  return broker.call('GET', `/api/oauth/connections/${name}`, call);
}

export function credentialsOf(broker: TestBroker, name: string, query = '', call: Call = {}): Promise<Result> {
  return broker.call('GET', `/api/oauth/credentials/${name}${query}`, call);
}

/** A callback URL with parameters changed; null removes one. */
export function withParameters(url: URL | string, changes: Readonly<Record<string, string | null>>): URL {
  const changed = new URL(url);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) changed.searchParams.delete(name);
    else changed.searchParams.set(name, value);
  }
  return changed;
}
