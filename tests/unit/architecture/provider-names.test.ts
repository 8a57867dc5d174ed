import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { catalogue } from '../../../src/providers/catalogue.ts';

const root = join(import.meta.dirname, '..', '..', '..');

/** Words that mean something else as well, or are too short to mean anything. */
const generic = new Set(['x', 'box', 'square', 'linear', 'notion', 'exact', 'sage', 'monday', 'oidc', 'app']);

/** The names by which code could tell one provider from the others: `github-app-user` and `github`. */
const names = [
  ...new Set(catalogue.flatMap(({ id }) => [id, id.split('-')[0] ?? id]).filter((name) => !generic.has(name))),
];
const anyName = names.map((name) => name.replaceAll('-', '[-_ ]?')).join('|');
/** In any case of letters, and as the first word of a longer name. */
const pattern = new RegExp(`(?<![A-Za-z])(?i:${anyName})(?![a-z])`);

/** Where a name is an example for people, or that of the directory whose tokens callers may bring. */
const allowed = [/\bexample: '/, /\bMicrosoft Entra\b/];

describe('the names of providers', () => {
  test('are known to this test', () => {
    expect(names).toEqual(expect.arrayContaining(['google', 'github', 'github-app-user', 'slack', 'halopsa']));
    for (const line of ["if (id === 'slack')", 'const githubShape = {};', '// Salesforce’s way', 'zoomS2s()']) {
      expect(line).toMatch(pattern);
    }
    expect('a slackening zoomed googol').not.toMatch(pattern);
  });

  test('stand in src/providers alone: what is odd about one is a setting that others may have too', () => {
    const breaches = globSync('src/**/*.ts', { cwd: root })
      .map((path) => path.replaceAll('\\', '/'))
      .filter((file) => !file.startsWith('src/providers/'))
      .flatMap((file) =>
        readFileSync(join(root, file), 'utf8')
          .replaceAll(/https:\/\/\S+/g, '')
          .split('\n')
          .flatMap((line, at) =>
            pattern.test(line) && !allowed.some((exception) => exception.test(line))
              ? [`${file}:${at + 1} ${line.trim()}`]
              : [],
          ),
      );
    expect(breaches).toEqual([]);
  });
});
