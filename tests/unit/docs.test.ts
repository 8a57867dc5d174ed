import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { connectionColumns } from '../../src/adapters/azure-tables/connection-row.ts';
import { grantColumns, userGrantColumns } from '../../src/adapters/azure-tables/grant-row.ts';
import { createTables } from '../../src/adapters/azure-tables/tables.ts';
import { errorCodes } from '../../src/domain/errors.ts';
import { statusReasons } from '../../src/domain/grant.ts';
import { Secret } from '../../src/domain/secret.ts';
import type { Permission } from '../../src/functions/http/route.ts';
import { statusOf } from '../../src/functions/http/status.ts';
import { routeTable } from '../../src/functions/route-table.ts';
import { slack } from '../../src/providers/slack.ts';
import { hostSettingNames, settingNames } from '../../src/settings.ts';
import { readPage, sectionOf, tableRows, unquoted } from '../support/markdown.ts';

const root = join(import.meta.dirname, '..', '..');
const firstCells = (text: string) => tableRows(text).map(([first]) => unquoted(first));

describe('docs/errors.md', () => {
  const page = readPage('docs/errors.md');
  const codes = sectionOf(page, '## Error codes');

  test('explains every error code, and no other', () => {
    expect([...codes.matchAll(/^### `(\w+)`$/gm)].map(([, code]) => code)).toEqual(errorCodes);
  });

  test.each(errorCodes)('gives %s its status, a cause and a fix', (code) => {
    const entry = sectionOf(codes, `### \`${code}\``);
    expect(entry).toMatch(new RegExp(`^Status ${statusOf[code]}\\. \\S`, 'm'));
    expect(entry).toMatch(/^- Cause: \S/m);
    expect(entry).toMatch(/^- Fix: \S/m);
  });

  test('explains every status reason, and no other', () => {
    expect(firstCells(sectionOf(page, '## Status reasons'))).toEqual(statusReasons);
  });
});

describe('docs/guides/log-events.md', () => {
  const page = readPage('docs/guides/log-events.md');
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => readFileSync(join(root, 'src', path), 'utf8'))
    .join('\n');

  test('explains every event that is logged as an error', () => {
    const direct = [...sources.matchAll(/logger\.error\(\s*'(\w+)'/g)].map(([, event]) => event);
    const named = [...sources.matchAll(/'(\w+_(?:poisoned|not_rekeyed))'/g)].map(([, event]) => event);
    expect(direct.length).toBeGreaterThan(10);
    expect(firstCells(sectionOf(page, '## Lines of level `error`'))).toEqual(
      [...new Set([...direct, ...named])].sort(),
    );
  });

  test('names no event that there is not', () => {
    for (const event of firstCells(page)) expect(sources).toContain(`'${event}'`);
  });
});

describe('docs/storage-schema.md', () => {
  const page = readPage('docs/storage-schema.md');
  const columnsIn = (heading: string) => firstCells(sectionOf(page, heading));

  test('has every table, and no other', () => {
    const connection = { connectionString: new Secret('UseDevelopmentStorage=true') };
    const names = Object.values(createTables({ connection })).map(({ name }) => name);
    const headings = [...page.matchAll(/^## (OAuth\w+)$/gm)].map(([, name]) => name);
    expect(headings.toSorted()).toEqual(names.toSorted());
  });

  test('has every column of connections and grants, and no other', () => {
    expect(columnsIn('### Columns of every grant')).toEqual(grantColumns);
    expect(columnsIn('## OAuthConnections').toSorted()).toEqual([...connectionColumns].toSorted());
    const own = userGrantColumns.filter((name) => !grantColumns.includes(name));
    expect(columnsIn('## OAuthUserGrants')).toEqual(own);
  });

  test.each([
    ['## OAuthTransactions', 'transaction-store.ts', ['toClearColumns']],
    ['## OAuthRevocations', 'revocation-store.ts', ['toClearColumns']],
    ['## OAuthWorkflows', 'workflow-row.ts', ['toDependencyColumns', 'toDisabledColumns']],
    ['## OAuthCallers', 'caller-row.ts', ['toColumns', 'toKeyColumns']],
    ['### Records', 'audit-row.ts', ['toRecordColumns']],
    ['### Heads', 'audit-row.ts', ['toHeadColumns']],
    ['### Checkpoints', 'audit-row.ts', ['toCheckpointColumns']],
    ['### Sweeps', 'job-store.ts', ['createJobStore']],
    ['### The reconcile', 'reconcile-store.ts', ['toRoundColumns']],
    ['### Rekey jobs', 'rekey-store.ts', ['toJobColumns']],
  ])('has every column that is written to %s, and no other', (heading, file, functions) => {
    const written = new Set(functions.flatMap((name) => columnsWrittenBy(file, name)));
    const documented = columnsIn(heading).filter((cell) => /^[a-z0-9_]+$/.test(cell));
    expect(documented.toSorted()).toEqual([...written].toSorted());
  });
});

/** The names of columns in the source of a function. A column's name is in snake case, and its value follows. */
function columnsWrittenBy(file: string, name: string): readonly string[] {
  const source = readPage(`src/adapters/azure-tables/${file}`);
  const body = source.slice(source.indexOf(`function ${name}(`)).split(/^\}$/m, 1)[0] ?? '';
  const isColumn = /^\s+([a-z0-9_]+): (?:\w+Column\(|[a-z]+\.\w+,|'|trigger)/;
  return [...body.split('\n')].flatMap((line) => {
    const column = isColumn.exec(line)?.[1];
    if (column !== undefined) return [column];
    return /^\s+trigger,$/.test(line) ? ['trigger'] : [];
  });
}

describe('docs/adding-a-provider.md', () => {
  const page = readPage('docs/adding-a-provider.md');

  test('explains every setting of an entry, and no other', () => {
    const { requests, scopes, lives, answers, metadata, revocation, ...plain } = slack;
    const grouped = Object.entries({ requests, scopes, lives, answers, metadata, revocation });
    const inGroups = grouped.flatMap(([group, fields]) => Object.keys(fields ?? {}).map((name) => `${group}.${name}`));
    const documented = firstCells(sectionOf(page, '## The settings'));
    expect(documented.toSorted()).toEqual([...Object.keys(plain), ...inGroups].toSorted());
  });
});

describe('README.md', () => {
  const page = readPage('README.md');

  test('has every endpoint with its role, in the order of the route table', () => {
    const rows = routeTable.map(({ method, path, permission, summary }) => [
      `\`${method} ${path}\``,
      rolesOf(permission),
      summary,
    ]);
    expect(tableRows(sectionOf(page, '## Endpoints'))).toEqual(rows);
  });

  test('has every setting of app and host, and no other', () => {
    expect(firstCells(sectionOf(page, '## Settings'))).toEqual([...settingNames, ...hostSettingNames]);
  });
});

function rolesOf(permission: Permission): string {
  if (permission.kind === 'public') return 'public';
  return permission.kind === 'caller' ? 'any caller' : permission.roles.join(', ');
}

describe('every page', () => {
  const notes = readdirSync(join(root, 'docs', 'decisions')).map((name) => `docs/decisions/${name}`);
  const guides = [
    'docs/guides/audit.md',
    'docs/guides/callers.md',
    'docs/guides/key-rotation.md',
    'docs/guides/log-events.md',
    'docs/guides/mock-providers.md',
    'docs/adding-a-provider.md',
  ];
  const main = ['README.md', 'docs/architecture.md', 'docs/storage-schema.md', 'docs/errors.md'];
  const pages = [...main, ...guides, ...notes];

  test.each(pages)('%s links to files that are there', (path) => {
    const links = [...readPage(path).matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, link]) => link ?? '');
    const missing = links.filter((link) => !/^https?:/.test(link) && !existsSync(join(root, dirname(path), link)));
    expect(missing).toEqual([]);
  });

  test('names only files of the sources that are there', () => {
    const named = (path: string) => [...readPage(path).matchAll(/`((?:src|infra|scripts|tests)\/[\w./-]+)`/g)];
    const missing = pages.flatMap((path) =>
      named(path).flatMap(([, file]) => (existsSync(join(root, file ?? '')) ? [] : [`${path}: ${file}`])),
    );
    expect(missing).toEqual([]);
  });

  test('the list of decisions is complete', () => {
    const listed = [...readPage('docs/decisions/README.md').matchAll(/\((\d{4}-[\w-]+\.md)\)/g)].map(
      ([, file]) => file,
    );
    expect(listed).toEqual(
      notes.map((path) => path.slice('docs/decisions/'.length)).filter((name) => /^\d/.test(name)),
    );
  });
});
