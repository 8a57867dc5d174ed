import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readPage, tableRows } from '../support/markdown.ts';

const root = join(import.meta.dirname, '..', '..');
const page = readPage('docs/security.md');
const rows = tableRows(page);
const testsIn = (cell = '') => [...cell.matchAll(/`(tests\/[\w./-]+)`/g)].map(([, path]) => path ?? '');
const namesIn = (text: string) => new Set(text.match(/\bS-\d\d\b/g) ?? []);
const thisFile = 'unit/docs-security.test.ts';

describe('docs/security.md', () => {
  test('has the seventy items, each once and in order', () => {
    const items = Array.from({ length: 70 }, (_, index) => `S-${String(index + 1).padStart(2, '0')}`);
    expect(rows.map(([item]) => item)).toEqual(items);
  });

  test.each(rows)('%s (%s): says how it is met, and names tests that name it, or what will bring it', (...cells) => {
    const [item = '', asks = '', how = '', proof = ''] = cells;
    expect(asks).toMatch(/\S/);
    expect(how).toMatch(/\.$/);
    const named = testsIn(proof);
    if (named.length === 0) expect(proof).toMatch(/^comes with \S/);
    for (const path of named) {
      expect(existsSync(join(root, path)), path).toBe(true);
      expect(namesIn(readFileSync(join(root, path), 'utf8')), path).toContain(item);
    }
  });

  test('names every test that names an item', () => {
    const listed = new Map(rows.map(([item, , , proof]) => [item, testsIn(proof)]));
    const files = readdirSync(join(root, 'tests'), { recursive: true, encoding: 'utf8' });
    const missing = files
      .filter((file) => file.endsWith('.test.ts') && file !== thisFile)
      .flatMap((file) =>
        [...namesIn(readFileSync(join(root, 'tests', file), 'utf8'))]
          .filter((item) => !listed.get(item)?.includes(`tests/${file}`))
          .map((item) => `${item}: tests/${file}`),
      );
    expect(missing).toEqual([]);
  });

  test.each(['docs/security.md', 'SECURITY.md'])('%s links to files, and names files, that are there', (path) => {
    const text = readPage(path);
    const links = [...text.matchAll(/\]\(([^)#]+)\)/g)].map(([, link]) => join(root, dirname(path), link ?? ''));
    const named = [...text.matchAll(/`((?:src|infra|docs|tests)\/[\w./-]+)`/g)].map(([, file]) =>
      join(root, file ?? ''),
    );
    expect(links.length).toBeGreaterThan(0);
    expect([...links, ...named].filter((file) => !existsSync(file))).toEqual([]);
  });

  test('is linked from the README, as is how to report', () => {
    const readme = readPage('README.md');
    for (const target of ['docs/security.md', 'SECURITY.md']) expect(readme).toContain(`](${target})`);
  });
});
