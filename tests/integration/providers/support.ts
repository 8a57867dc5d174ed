import { expect } from 'vitest';
import type { Provider } from '../../../src/domain/provider.ts';
import { type MockProviders, startMockProviders } from '../../../src/host/services/mock-providers/index.ts';
import { catalogue } from '../../../src/providers/catalogue.ts';
import { knownProviders } from '../../../src/providers/known-providers.ts';
import { standIns } from '../../../src/providers/stand-ins/stand-ins.ts';
import type { Result, TestBroker } from '../../support/test-broker.ts';
import { startTestBroker } from '../../support/test-broker.ts';

/** Every provider that must work in full. */
export const proven = catalogue.filter(({ tier }) => tier === 'proven');

/** The others: taken from public facts. */
export const listed = catalogue.filter(({ tier }) => tier === 'listed');

/** A broker whose catalogue is that of stand-ins, and the stand-ins on the same clock. */
export interface Stage {
  readonly broker: TestBroker;
  readonly mock: MockProviders;
  /** What the provider's token endpoints were asked so far. */
  tokenCalls(provider: string): number;
  stop(): Promise<void>;
}

/** Nobody may mix up what is encoded and what is not. */
const oddSecret = 'mock:secret+with/odd=characters%20&_-~';

export async function startStage(): Promise<Stage> {
  let broker: TestBroker | undefined;
  const mock = await startMockProviders({
    catalogue: knownProviders,
    standIns,
    clientSecret: oddSecret,
    now: () => broker?.clock.now() ?? Date.now(),
    callbackPrefix: () => (broker === undefined ? null : `${broker.url}/api/oauth/callback/`),
  });
  const started = await startTestBroker({ providers: mock.catalogue });
  broker = started;
  return {
    broker: started,
    mock,
    tokenCalls: (provider) =>
      mock.calls.filter((call) => call.provider === provider && /^(token|refresh)$/.test(call.endpoint)).length,
    stop: async () => {
      await started.stop();
      await mock.stop();
    },
  };
}

/** The values that an administrator has to give, as the entry's examples have them. */
export function neededVariables({ variables }: Provider): Record<string, string> {
  return Object.fromEntries(
    Object.entries(variables)
      .filter(([, variable]) => variable.default === null)
      .map(([name, { example }]) => [name, example]),
  );
}

/** What is asked for is chosen where the client is registered. */
const takesNoScopes = new Set(['zoom']);

function needsScopes({ id, scopes }: Provider): boolean {
  return !scopes.isUnused && scopes.default === null && !takesNoScopes.has(id);
}

/** A create body with the least that an administrator must say. */
export function bodyFor(
  { mock }: Stage,
  provider: Provider,
  name: string,
  changes: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  return {
    connection_name: name,
    provider: provider.id,
    oauth_flow_type: 'authorization_code',
    client_id: mock.clientId,
    client_secret: mock.clientSecret,
    variables: neededVariables(provider),
    ...(needsScopes(provider) && { scopes: `one,two,${provider.scopes.offline ?? ''}` }),
    ...changes,
  };
}

export async function createConnection({ broker }: Stage, body: Record<string, unknown>): Promise<Result> {
  const created = await broker.call('POST', '/api/oauth/connections', { body });
  expect(created.status, created.text).toBe(201);
  return created;
}

export interface SignIn {
  readonly decision?: 'allow' | 'deny';
  readonly person?: 1 | 2;
  /** For providers that let people choose. */
  readonly granted?: string;
}

/** A person at the stand-in's authorization page. Resolves to where they are sent, not followed. */
export async function decide(
  { broker }: Stage,
  name: string,
  { decision = 'allow', person = 1, granted }: SignIn = {},
): Promise<URL> {
  const started = await broker.call('POST', `/api/oauth/connections/${name}/authorize`, { body: {} });
  expect(started.status, started.text).toBe(200);
  const url = new URL(started.json.authorization_url);
  url.searchParams.set('auto', decision);
  url.searchParams.set('person', String(person));
  if (granted !== undefined) url.searchParams.set('granted', granted);
  // For a provider that knows the redirect URL by a name.
  url.searchParams.set('return_to', `${broker.url}/api/oauth/callback/${name}`);
  const answer = await fetch(url, { redirect: 'manual' });
  expect(answer.status, await answer.text()).toBe(303);
  return new URL(answer.headers.get('location') ?? '');
}

/** A whole authorization, which must succeed. */
export async function connect(stage: Stage, name: string, signIn: SignIn = {}): Promise<void> {
  const landed = await fetch(await decide(stage, name, signIn), { redirect: 'manual' });
  const page = await landed.text();
  const refusals = stage.mock.calls.filter(({ detail }) => detail !== null).at(-1);
  expect(landed.status, `${page.slice(-600)} ${JSON.stringify(refusals)}`).toBe(200);
}

export function credentials({ broker }: Stage, name: string, query = ''): Promise<Result> {
  return broker.call('GET', `/api/oauth/credentials/${name}${query}`);
}

/** Whether an API of the stand-in takes the token, in the provider's own way. Undefined where there is none to ask. */
export async function isAccepted({ mock }: Stage, provider: Provider, token: string): Promise<boolean | undefined> {
  const { endpoints, requests } = provider;
  if (endpoints.userinfo === null && endpoints.test === null) return undefined;
  const { name, prefix } = requests.tokenHeader;
  const answer = await fetch(`${mock.url}/${provider.id}/userinfo`, {
    headers: { ...requests.headers, [name]: `${prefix}${token}` },
  });
  return answer.status === 200;
}
