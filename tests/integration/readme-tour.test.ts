import { delimiter, dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createUserAgent } from '../support/authorization-server.ts';
import { type BashSession, startBash } from '../support/bash-session.ts';
import { codeBlocks, readPage, sectionOf } from '../support/markdown.ts';
import { createRunningHosts, type LiveHost, type RunningHosts } from '../support/running-hosts.ts';

/** What each block of the tour must print, in order. */
const expected: readonly (readonly RegExp[])[] = [
  [/"id":"bootstrap"/, /"org_ids":\["\*"\]/, /"reader"/],
  [/"connection_name":"reports"/, /"status":"not_connected"/, /"org_id":"ORG123"/],
  [/"access_token":"[^"]+"/, /"method":"client_credentials"/],
  [/"connection_name":"crm"/, /\/api\/oauth\/callback\/crm"/],
  [/"error":"connection_not_ready"/, /"authorize":\{"method":"POST"/],
  [/^Open this in a browser: http:\/\/127\.0\.0\.1:\d+\/api\/connect\/\S+$/],
  [/^completed$/],
  [/"sub":"alice"/],
  [/"refreshed":true/, /"status":"completed"/],
  [/^crm$/m, /"error":"workflows_depend"/, /"workflow_id":"nightly-sync"/],
  [
    /"disabled_workflows":\["nightly-sync"\],"revoked":true/,
    /"related_oauth_connection":"crm"/,
    /"enabled_at":"/,
    /"reports\\" was deleted/,
  ],
];

let hosts: RunningHosts;
let host: LiveHost;
let bash: BashSession;
beforeAll(async () => {
  hosts = await createRunningHosts();
  host = await hosts.start({}, '.bowline');
  const { PATH = '', HOME = '' } = process.env;
  bash = startBash(hosts.folder, { PATH: `${dirname(process.execPath)}${delimiter}${PATH}`, HOME });
});
afterAll(async () => {
  await bash.end();
  await hosts.stopAll();
});

/** What a person does by hand: open the link, go on to the provider, sign in, allow. */
async function signIn(link: string): Promise<string> {
  const browser = createUserAgent();
  const connectPage = await browser.open(link);
  const href = /<a [^>]*href="([^"]+)"/.exec(connectPage.html)?.[1] ?? '';
  const callback = await browser.browse(href.replaceAll('&amp;', '&'));
  return (await browser.followTo(callback)).html;
}

describe("README's tour", { timeout: 60_000 }, () => {
  const blocks = codeBlocks(sectionOf(readPage('README.md'), '## A five-minute tour'), 'bash');

  it('works as pasted, block after block, and hides the secret', async () => {
    expect(blocks).toHaveLength(expected.length);
    for (const [index, block] of blocks.entries()) {
      const { exitCode, output } = await bash.paste(block);
      expect({ block, exitCode, output }).toMatchObject({ exitCode: 0 });
      for (const pattern of expected[index] ?? []) expect(output).toMatch(pattern);
      expect(output).not.toContain(host.hostJson.demo_provider?.client_secret);
      expect(output).not.toContain(host.hostJson.admin_key);
      const link = /Open this in a browser: (\S+)/.exec(output)?.[1];
      if (link !== undefined) expect(await signIn(link)).toContain('is connected');
    }
  });

  it('needs nothing but bash, curl and node', () => {
    const text = blocks.join('\n');
    for (const tool of ['jq', 'python', 'npx']) expect(text).not.toMatch(new RegExp(`\\b${tool}\\b`));
  });
});
