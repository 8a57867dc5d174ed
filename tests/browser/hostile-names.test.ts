import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRunningHosts, type LiveHost, type RunningHosts } from '../support/running-hosts.ts';

const chromiumPath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
const quiet = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'];

const call = 'window.pwned()';
const elements = ['img src=x onerror', 'svg onload', 'body onload', 'video src=x onerror', 'details open ontoggle'];
const links = [
  'javascript:window.pwned()',
  'JaVaScRiPt:window.pwned()',
  'java\tscript:window.pwned()',
  'data:text/html,<script>window.pwned()</script>',
];
const frames = ['iframe src', 'object data', 'embed src', 'form action', 'base href', 'link rel=stylesheet href'];
const plain = [
  `<script>${call}</script>`,
  `<ScRiPt>${call}</sCrIpT>`,
  `<script src="data:,${call}"></script>`,
  `<scr<script>ipt>${call}</script>`,
  `"><script>${call}</script>`,
  `'><script>${call}</script>`,
  `</title><script>${call}</script>`,
  `</style><script>${call}</script>`,
  `</dd></dl></main><script>${call}</script>`,
  `--><script>${call}</script>`,
  `]]><script>${call}</script>`,
  `<!--<script>${call}</script>-->`,
  `&lt;script&gt;${call}&lt;/script&gt;`,
  `&#60;script&#62;${call}&#60;/script&#62;`,
  `\u003cscript\u003e${call}\u003c/script\u003e`,
  `%3Cscript%3E${call}%3C/script%3E`,
  `+ADw-script+AD4-${call}+ADw-/script+AD4-`,
  `\uff1cscript\uff1e${call}\uff1c/script\uff1e`,
  `<math><mtext><script>${call}</script>`,
  `<svg><script>${call}</script></svg>`,
  `<template><script>${call}</script></template>`,
  `<noscript><p title="</noscript><img src=x onerror=${call}>">`,
  `<meta http-equiv=refresh content="0;url=javascript:${call}">`,
  `<style>@import 'data:text/css,*{}';</style>`,
  `<a href=javascript:${call} autofocus onfocus=${call}>x</a>`,
  `<input autofocus onfocus=${call}>`,
  `" autofocus onfocus="${call}`,
  `' onmouseover='${call}`,
  // biome-ignore lint/suspicious/noTemplateCurlyInString: what a template would run
  '${window.pwned()}',
  '{{constructor.constructor("window.pwned()")()}}',
  `\u202e<script>${call}</script>`,
  `a\u0000<script>${call}</script>`,
];
const payloads = [
  ...plain,
  ...elements.map((element) => `<${element}=${call}>`),
  ...links.map((link) => `<a href="${link}">x</a>`),
  ...frames.flatMap((frame) => [`<${frame}="javascript:${call}">`, `<${frame}="https://evil.example/">`]),
];

/** Names of callers and users hold no control characters: the API refuses them. Scopes may, and HTML drops NUL. */
const plainText = (text: string) => text.replaceAll(/\p{Cc}/gu, '');

let hosts: RunningHosts;
let host: LiveHost;
let browser: Browser;
let page: Page;
const runs: string[] = [];
const complaints: string[] = [];
const asked: string[] = [];
beforeAll(async () => {
  hosts = await createRunningHosts();
  host = await hosts.start();
  browser = await chromium.launch({ executablePath: chromiumPath, args: quiet });
  page = await (await browser.newContext()).newPage();
  await page.exposeFunction('pwned', () => void runs.push(page.url()));
  page.on('console', (message) => void complaints.push(message.text()));
  page.on('pageerror', (error) => void complaints.push(error.message));
  page.on('dialog', (dialog) => void dialog.dismiss());
  page.on('request', (request) => void asked.push(request.url()));
});
afterAll(async () => {
  await browser?.close();
  await hosts.stopAll();
});

/** A link whose every free text is the payload: the scopes, who asks, for whom. */
async function linkWith(payload: string, at: number): Promise<string> {
  const demo = host.hostJson.demo_provider;
  const made = await host.call('POST', '/api/oauth/connections', {
    connection_name: `hostile-${at}`,
    oauth_flow_type: 'authorization_code',
    client_id: demo?.client_id,
    client_secret: demo?.client_secret,
    authorization_url: `${demo?.issuer}/auth?x=${encodeURIComponent(payload)}`,
    token_url: `${demo?.issuer}/token`,
    scopes: payload,
    description: payload,
  });
  expect(made.status, made.text).toBe(201);
  const caller = await host.call('POST', '/api/oauth/callers', { name: plainText(payload), roles: ['operator'] });
  expect(caller.status, caller.text).toBe(201);
  const started = await fetch(`${host.url}/api/oauth/connections/hostile-${at}/authorize`, {
    method: 'POST',
    headers: { 'x-api-key': caller.json.api_key, 'content-type': 'application/json' },
    body: JSON.stringify({ user_id: plainText(payload) }),
  });
  return ((await started.json()) as { connect_url: string }).connect_url;
}

describe('S-62 fifty hostile names', () => {
  it('are fifty', () => {
    expect(new Set(payloads).size).toBeGreaterThanOrEqual(50);
  });

  it('run no script, load nothing and break no policy on the connect page, where they stand as text', async () => {
    for (const [at, payload] of payloads.entries()) {
      await page.goto(await linkWith(payload, at));
      const shown = (await page.locator('dl').textContent()) ?? '';
      expect(plainText(shown).split(plainText(payload)), payload).toHaveLength(4);
      expect(await page.locator('script, img, svg, iframe, object, embed, base, form, input, video').count()).toBe(0);
      for (const link of await page.locator('a').all()) expect(await link.getAttribute('href')).toMatch(/^http/);
    }
    expect(runs).toEqual([]);
    expect(complaints).toEqual([]);
    expect(asked.filter((url) => !url.startsWith(host.url))).toEqual([]);
  });

  it('run no script and break no policy on the pages of the callback', async () => {
    for (const payload of payloads) {
      const query = new URLSearchParams({ state: payload, code: payload, error: payload, error_description: payload });
      await page.goto(`${host.url}/api/oauth/callback/hostile-1?${query}`);
      expect(await page.locator('main').textContent()).not.toContain('pwned');
    }
    expect(runs).toEqual([]);
    // Chromium notes each answer of 400 by itself.
    expect(complaints.filter((text) => !text.includes('status of 400'))).toEqual([]);
    expect(asked.filter((url) => !url.startsWith(host.url))).toEqual([]);
  });
});
