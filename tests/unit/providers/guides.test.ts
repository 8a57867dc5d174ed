import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createUrlPolicy } from '../../../src/adapters/outbound-http/url-policy.ts';
import { needsPerson } from '../../../src/domain/connection.ts';
import { errorCodes } from '../../../src/domain/errors.ts';
import { statusReasons } from '../../../src/domain/grant.ts';
import { toOrgId } from '../../../src/domain/ids.ts';
import { connectionsAuthorize } from '../../../src/functions/routes/connections-authorize.ts';
import { connectionsRefresh } from '../../../src/functions/routes/connections-refresh.ts';
import { configOf, createBody, updateBody } from '../../../src/functions/schemas/connection-input.ts';
import { knownProviders } from '../../../src/providers/known-providers.ts';
import { completeConfig } from '../../../src/usecases/connections/complete-config.ts';
import { assertValidConfig } from '../../../src/usecases/connections/connection-input.ts';
import { codeBlocks, readPage, sectionOf, tableRows, unquoted } from '../../support/markdown.ts';

const folder = 'docs/providers';
const root = join(import.meta.dirname, '..', '..', '..');
const guideNames = ['adobe', 'github', 'google', 'microsoft', 'quickbooks', 'salesforce', 'slack', 'zoom'];
const guides = guideNames.map((name) => ({ name, page: readPage(`${folder}/${name}.md`) }));
const index = readPage(`${folder}/README.md`);
const pages = [{ name: 'README', page: index }, ...guides];

const org = toOrgId('ORG123');
const urlPolicy = createUrlPolicy({ allowInsecureLoopback: false });
const authorizationServer = {
  discover: () => Promise.reject(new Error('the guides need no discovery')),
};

interface Call {
  readonly command: string;
  readonly path: string;
  readonly body: unknown;
}

/** Every call of Bowline that sends a body, as the page's code has it. */
function callsIn(page: string): readonly Call[] {
  const code = codeBlocks(page, 'bash').join('\n');
  const documents = [...code.matchAll(/^(.*<<'END'.*)\n([\s\S]*?)\nEND$/gm)];
  const inline = [...code.matchAll(/^(.*) -d '(.*)'$/gm)];
  return [...documents, ...inline].map(([, command = '', text = '']) => {
    const path = /"\$BOWLINE([^"]*)"/.exec(command)?.[1] ?? '';
    return { command, path, body: JSON.parse(text) };
  });
}

const creationsIn = (page: string) =>
  callsIn(page)
    .filter(({ path, command }) => /^\/oauth\/connections(\?|$)/.test(path) && !command.includes('-X'))
    .map((call) => ({ ...call, body: createBody.parse(call.body) }));

const creations = guides.flatMap(({ name, page }) =>
  creationsIn(page).map((call) => ({ ...call, title: `${name}: ${call.body.connection_name}` })),
);

function providerOf(id: string | null | undefined) {
  const provider = knownProviders.get(id ?? '');
  if (provider === undefined) throw new Error(`${id} is not in the catalogue`);
  return provider;
}

describe('the setup guides', () => {
  test('are all in the index, and the index has no other', () => {
    const files = readdirSync(join(root, folder)).filter((name) => name !== 'README.md');
    expect(files.toSorted()).toEqual(guideNames.map((name) => `${name}.md`));
    const linked = [...index.matchAll(/^\| \[\w+\]\((\S+)\)/gm)].map(([, file]) => file);
    expect(linked.toSorted()).toEqual(files.toSorted());
  });

  test('create a connection for every provider and flow of the index, and for no other', () => {
    const listed = tableRows(index).flatMap(([, provider, person, nobody]) =>
      [person, nobody].filter(Boolean).map((flow) => `${unquoted(provider)} ${unquoted(flow)}`),
    );
    const created = creations.map(({ body }) => `${body.provider} ${body.oauth_flow_type}`);
    expect([...new Set(created)].toSorted()).toEqual(listed.toSorted());
  });

  test.each(pages)('$name sends only bodies that their routes take', ({ page }) => {
    for (const { command, path, body } of callsIn(page)) {
      if (path.endsWith('/authorize')) connectionsAuthorize.request?.body?.parse(body);
      else if (path.endsWith('/refresh')) connectionsRefresh.request?.body?.parse(body);
      else if (command.includes('-X PUT')) updateBody.parse(body);
      else expect(path).toMatch(/^\/oauth\/connections(\?connect=true)?$/);
    }
  });

  test.each(creations)('$title can be created as it stands', async ({ body }) => {
    const config = await completeConfig(
      { providers: knownProviders, authorizationServer: authorizationServer as never, urlPolicy },
      configOf(body, org),
    );
    assertValidConfig(config, { org, hasClientSecret: body.client_secret != null, urlPolicy });
  });

  test.each(creations)('$title says what its flow needs', ({ body, command, path }) => {
    expect(command.startsWith('with_key ')).toBe(body.oauth_flow_type === 'jwt_bearer');
    expect(path.includes('connect=true') && needsPerson(body.oauth_flow_type)).toBe(false);
    const { offline } = providerOf(body.provider).scopes;
    if (offline !== null && needsPerson(body.oauth_flow_type)) expect(body.scopes?.split(' ')).toContain(offline);
  });

  test.each(guides)('$name names the redirect URL of a connection that it creates', ({ page }) => {
    const bodies = creationsIn(page).map(({ body }) => body);
    const named = [...page.matchAll(/https:\/\/<your host>\/api\/oauth\/callback\/([\w-]+)/g)].map(([, name]) => name);
    const people = bodies.filter((body) => needsPerson(body.oauth_flow_type)).map((body) => body.connection_name);
    expect(named).not.toEqual([]);
    expect(people).toEqual(expect.arrayContaining(named));
  });

  test.each(guides)('$name speaks of no connection but its own', ({ page }) => {
    const created = creationsIn(page).map(({ body }) => body.connection_name);
    const used = [...page.matchAll(/\$BOWLINE\/oauth\/(?:connections|credentials)\/([\w-]+)/g)].map(([, name]) => name);
    expect(created).toEqual(expect.arrayContaining(used));
  });

  test.each(guides)('$name names every field that the catalogue keeps beside the token', ({ page }) => {
    const section = sectionOf(page, '## What comes with the token');
    const kept = creationsIn(page).flatMap(({ body }) => {
      const { fromAnswer, fromCallback } = providerOf(body.provider).metadata;
      return [...(fromAnswer ?? []), ...Object.values(fromCallback)];
    });
    expect(kept.filter((field) => !section.includes(`\`${field}\``))).toEqual([]);
  });

  test.each(guides)('$name explains errors by codes that there are', ({ page }) => {
    const rows = tableRows(sectionOf(page, '## What goes wrong')).map(([seen]) => /^`(\w+)`/.exec(seen ?? '')?.[1]);
    const codes = rows.filter((code) => code !== undefined);
    const known: readonly string[] = [...errorCodes, ...statusReasons];
    expect(codes).toContain('needs_reauthorization');
    expect(codes).toContain('provider_rejected_client');
    expect(codes.filter((code) => !known.includes(code))).toEqual([]);
  });

  test.each(pages)('$name links to pages and headings that are there', ({ name, page }) => {
    const here = `${folder}/${name}.md`;
    const links = [...page.matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => link ?? '');
    const missing = links.filter((link) => !/^https:/.test(link) && !leadsSomewhere(here, link));
    expect(missing).toEqual([]);
  });
});

function leadsSomewhere(from: string, link: string): boolean {
  const [file = '', heading] = link.split('#');
  const path = join(dirname(from), file);
  if (!existsSync(join(root, path))) return false;
  const headings = [...readPage(path).matchAll(/^#+ (.*)$/gm)].map(([, text]) => text ?? '');
  return heading === undefined || headings.some((text) => text.toLowerCase().replaceAll(' ', '-') === heading);
}
