import type { HostJson } from '../../src/host/start-host.ts';
import { type Answer, type Api, createApi, textOf } from './api.ts';
import { createBrowser, headingOf, linkOf } from './browser.ts';
import { expectThat } from './step-failure.ts';

/** Runs a step, which tells what came back. */
export type Step = (title: string, work: () => Promise<string>) => Promise<void>;

const org = 'DEMO';
const person = 'demo-crm';
const machine = 'demo-machine';
const who = 'alice';

/**
 * Walks the whole story against a running host and cleans up behind itself. Nothing that it tells holds a token.
 * Throws `StepFailure` when a step fails.
 */
export async function walkStory(hostJson: HostJson, step: Step): Promise<void> {
  const { url, admin_key: key, demo_provider: demo } = hostJson;
  expectThat(key !== null, 'this host’s administrator key is not in host.json: BOOTSTRAP_ADMIN_KEY_SHA256 is set');
  expectThat(demo !== null, 'this host has no demo authorization server: BOWLINE_EMBEDDED is none');
  const api = createApi(url, key, org);
  try {
    await removeBoth(api);
    await connectPerson(api, demo, step);
    await useToken(api, demo.issuer, step);
    await connectMachine(api, demo, step);
    await step('Delete both connections', () => deleteBoth(api));
  } finally {
    await removeBoth(api).catch(() => {});
  }
}

type Demo = NonNullable<HostJson['demo_provider']>;

async function connectPerson(api: Api, demo: Demo, step: Step): Promise<void> {
  await step(`Create the connection “${person}”`, async () => {
    const created = await api.call('POST', '/oauth/connections', 201, {
      connection_name: person,
      oauth_flow_type: 'authorization_code',
      client_id: demo.client_id,
      client_secret: demo.client_secret,
      issuer: demo.issuer,
      authorization_url: `${demo.issuer}/auth`,
      token_url: `${demo.issuer}/token`,
      userinfo_url: `${demo.issuer}/me`,
      test_url: `${demo.issuer}/me`,
      revocation_url: `${demo.issuer}/token/revocation`,
      scopes: 'openid read',
    });
    return `Its status is ${textOf(created, 'status')}. Its client secret lies in the vault and is not shown again.`;
  });
  let connectUrl = '';
  await step('Begin an authorization', async () => {
    const started = await api.call('POST', `/oauth/connections/${person}/authorize`, 200, { prompt: 'login' });
    connectUrl = textOf(started, 'connect_url');
    return `There is a link for a person to open. It works until ${textOf(started, 'expires_at')}.`;
  });
  await step(`Sign in as ${who}, allow access, and come back to the callback`, () => signIn(connectUrl));
}

/** What a person does in a browser: open the link, go on to the provider, sign in, allow. */
async function signIn(connectUrl: string): Promise<string> {
  const browser = createBrowser();
  const connectPage = await browser.open(connectUrl);
  expectThat(connectPage.status === 200, `the connect page answered ${connectPage.status}`);
  const signInPage = await browser.open(linkOf(connectPage));
  const consentPage = await browser.submit(signInPage, { login: who, decision: 'sign-in' });
  const callbackPage = await browser.submit(consentPage, { decision: 'allow' });
  const heading = headingOf(callbackPage);
  expectThat(callbackPage.status === 200, `the callback page answered ${callbackPage.status}: ${heading}`);
  return `The callback page says: ${heading}.`;
}

async function useToken(api: Api, issuer: string, step: Step): Promise<void> {
  let token = '';
  await step('Get credentials by name, as a workflow would', async () => {
    const credentials = await api.call('GET', `/oauth/credentials/${person}`, 200);
    token = textOf(credentials, 'access_token');
    expectThat(!('refresh_token' in credentials), 'the credentials hold a refresh token');
    return describeToken(credentials);
  });
  await step('Call the provider’s API with the token', async () => {
    const response = await fetch(`${issuer}/me`, { headers: { authorization: `Bearer ${token}` } });
    expectThat(response.ok, `the provider answered ${response.status}`);
    const { sub } = (await response.json()) as { sub?: string };
    expectThat(sub === who, 'the provider knows the token as somebody else’s');
    return `The provider answers ${response.status}: the token is ${sub}’s.`;
  });
  await step('Refresh it now', async () => {
    const refreshed = await api.call('POST', `/oauth/connections/${person}/refresh`, 200, {});
    expectThat(refreshed.refreshed === true, 'nothing was refreshed');
    const credentials = await api.call('GET', `/oauth/credentials/${person}?force_refresh=true`, 200);
    expectThat(textOf(credentials, 'access_token') !== token, 'the token is still the old one');
    return `It is another token now. ${describeToken(credentials)}`;
  });
}

async function connectMachine(api: Api, demo: Demo, step: Step): Promise<void> {
  await step(`Create “${machine}”, which needs no person (client credentials)`, async () => {
    const created = await api.call('POST', '/oauth/connections', 201, {
      connection_name: machine,
      oauth_flow_type: 'client_credentials',
      client_id: demo.client_id,
      client_secret: demo.client_secret,
      token_url: `${demo.issuer}/token`,
      scopes: 'read,write',
    });
    return `Its status is ${textOf(created, 'status')}: it gets its first token when somebody asks.`;
  });
  await step('Get its credentials', async () => {
    const credentials = await api.call('GET', `/oauth/credentials/${machine}`, 200);
    expectThat(credentials.method === 'client_credentials', `the method is ${String(credentials.method)}`);
    return describeToken(credentials);
  });
}

async function deleteBoth(api: Api): Promise<string> {
  const { revoked } = await api.call('DELETE', `/oauth/connections/${person}`, 200);
  await api.call('DELETE', `/oauth/connections/${machine}`, 200);
  await api.call('GET', `/oauth/credentials/${person}`, 404);
  expectThat(revoked === true, 'the provider did not confirm that the tokens are revoked');
  return 'They are gone, and the provider has revoked alice’s tokens.';
}

/** Clears what an earlier run has left. */
async function removeBoth(api: Api): Promise<void> {
  const { connections } = await api.call('GET', '/oauth/connections?include_global=false&limit=100', 200);
  const names = (connections as readonly Answer[]).map((connection) => connection.connection_name);
  for (const name of [person, machine].filter((ours) => names.includes(ours))) {
    await api.call('DELETE', `/oauth/connections/${name}?confirm_disable_workflows=true`, 200);
  }
}

function describeToken(credentials: Answer): string {
  const { length } = textOf(credentials, 'access_token');
  const scopes = typeof credentials.scopes === 'string' ? ` for ${credentials.scopes}` : '';
  return `A token of ${length} characters${scopes} that lives until ${String(credentials.expires_at)} (${textOf(credentials, 'method')}).`;
}
