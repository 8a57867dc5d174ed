import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createRunningHosts, type LiveHost, type RunningHosts } from '../support/running-hosts.ts';

const chromiumPath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
/** Chromium must not look for its maker: nothing there answers. */
const quiet = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

let hosts: RunningHosts;
let host: LiveHost;
let browser: Browser;
let profile: string;
let person: BrowserContext;
let complaints: string[];

beforeAll(async () => {
  hosts = await createRunningHosts();
  host = await hosts.start();
  profile = await mkdtemp(join(tmpdir(), 'bowline-browser-'));
  browser = await chromium.launch({ executablePath: chromiumPath, args: quiet, downloadsPath: profile });
});
afterAll(async () => {
  await browser?.close();
  await hosts.stopAll();
  await rm(profile, { recursive: true, force: true });
});
beforeEach(async () => {
  complaints = [];
  person = await browser.newContext();
});
afterEach(() => person.close());

async function open(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage();
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(url);
  return page;
}

/** A connection to the demo server, and a link at which a person goes on. */
async function begin(name: string, changes: Record<string, unknown> = {}) {
  const demo = host.hostJson.demo_provider;
  if (demo === null) throw new Error('the host has no demo provider');
  const created = await host.call('POST', '/api/oauth/connections', {
    connection_name: name,
    oauth_flow_type: 'authorization_code',
    client_id: demo.client_id,
    client_secret: demo.client_secret,
    authorization_url: `${demo.issuer}/auth`,
    token_url: `${demo.issuer}/token`,
    userinfo_url: `${demo.issuer}/me`,
    issuer: demo.issuer,
    scopes: 'openid profile email read',
    ...changes,
  });
  expect(created.status).toBe(201);
  const started = await host.call('POST', `/api/oauth/connections/${name}/authorize`, {});
  return started.json as { connect_url: string; authorization_url: string };
}

async function signIn(page: Page, decision: RegExp): Promise<void> {
  await page.getByRole('textbox').first().fill('alice');
  await page.getByRole('button', { name: /sign in/i }).click();
  await page.getByRole('button', { name: decision }).click();
}

const statusOf = async (name: string) => (await host.call('GET', `/api/oauth/connections/${name}`)).json.status;

describe('a person with a browser', () => {
  it('connects from the link: sees who asks, signs in, allows, and reads that it is done (S-18)', async () => {
    const { connect_url } = await begin('crm');
    const page = await open(person, connect_url);
    expect(await page.getByRole('heading').textContent()).toBe('Connect “crm”');
    expect(await page.locator('dl').textContent()).toContain('ORG1');
    const [cookie] = await person.cookies();
    expect(cookie).toMatchObject({ httpOnly: true, secure: true, sameSite: 'Lax', path: '/' });
    expect(cookie?.name).toMatch(/^__Host-bowline-[0-9a-f]{16}$/);

    await page.getByRole('link', { name: /continue/i }).click();
    await signIn(page, /allow/i);

    expect(await page.getByRole('heading').textContent()).toBe('“crm” is connected');
    expect(await statusOf('crm')).toBe('completed');
    expect((await person.cookies()).filter(({ name }) => name.startsWith('__Host-bowline'))).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it('finishes when the provider answers with a form from its own site, which carries no cookie', async () => {
    const { connect_url } = await begin('form', { extra_authorize_params: { response_mode: 'form_post' } });
    const page = await open(person, connect_url);
    await page.getByRole('link', { name: /continue/i }).click();
    await signIn(page, /allow/i);
    await page.getByRole('heading', { name: '“form” is connected' }).waitFor();
    expect(await statusOf('form')).toBe('completed');
  });

  it('is told so when they refuse', async () => {
    const { connect_url } = await begin('refused');
    const page = await open(person, connect_url);
    await page.getByRole('link', { name: /continue/i }).click();
    await signIn(page, /deny|refuse/i);
    expect(await page.getByRole('heading').textContent()).toBe('“refused” was not connected');
    expect(await page.locator('main').textContent()).toContain('access_denied');
    expect(await statusOf('refused')).toBe('failed');
  });

  it('cannot finish in another browser what was opened in this one, and still can in this one (S-27)', async () => {
    const { connect_url, authorization_url } = await begin('bound');
    const own = await open(person, connect_url);
    const stranger = await browser.newContext();
    const theirs = await open(stranger, authorization_url);
    await signIn(theirs, /allow/i);
    expect(await theirs.locator('main').textContent()).toContain('another browser');
    expect(await statusOf('bound')).toBe('waiting_callback');
    await stranger.close();

    await own.getByRole('link', { name: /continue/i }).click();
    await signIn(own, /allow/i);
    expect(await own.getByRole('heading').textContent()).toBe('“bound” is connected');
  });

  it('sees a hostile name as text', async () => {
    await begin('shown');
    const hostile = '<img src=x onerror=alert(1)>';
    const started = await host.call('POST', '/api/oauth/connections/shown/authorize', { user_id: hostile });
    const page = await open(person, started.json.connect_url);
    expect(await page.locator('dl').textContent()).toContain(hostile);
    expect(await page.locator('img').count()).toBe(0);
    expect(complaints).toEqual([]);
  });
});
