import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..', '..');

/** What Biome and dependency-cruiser cannot see. */
interface SourceRule {
  readonly title: string;
  readonly pattern: RegExp;
  /** Where the pattern may stand. */
  readonly allowed: RegExp;
  readonly breaches: readonly string[];
  readonly lawful: readonly string[];
}

const outside = /^src\/(adapters|host)\//;

const rules: readonly SourceRule[] = [
  {
    title: 'the environment is read in settings.ts and by the host',
    pattern: /\bprocess\.env\b|\benv\b[^;]*\bfrom 'node:process'/,
    allowed: /^src\/(settings\.ts$|host\/)/,
    breaches: ['process.env.PATH', "import { env } from 'node:process';"],
    lawful: ['environment.PATH'],
  },
  {
    title: 'the time comes from the clock port',
    pattern: /\bDate\.now\b|\bnew Date\(\s*\)|(?<![\w.]|new\s)Date\(|\bperformance\.now\b|\bhrtime\b/,
    allowed: outside,
    breaches: ['Date.now()', 'new Date()', 'Date()', 'performance.now()', 'process.hrtime.bigint()'],
    lawful: ['new Date(timeMs)', 'clock.now()', 'Date.parse(text)'],
  },
  {
    title: 'randomness comes from outside',
    pattern: /\bMath\.random\b|(?<![\w.])random(UUID|Bytes|Int|Fill|FillSync)\(|\bcrypto\.random|\bgetRandomValues\b/,
    allowed: outside,
    breaches: ['Math.random()', 'crypto.randomUUID()', 'randomBytes(16)', 'crypto.getRandomValues(bytes)'],
    lawful: ['random.token(32)', 'options.randomBytes(16)'],
  },
  {
    title: 'requests and waiting go through ports, and not around the linter, which sees the plain names',
    pattern: /\bglobalThis\b|'node:timers\b|'node:https?'/,
    allowed: outside,
    breaches: ['globalThis.fetch', "from 'node:timers/promises'", "from 'node:https'"],
    lawful: ['this.fetch(url)', 'clock.sleep(5)'],
  },
  {
    title: 'HTTP status codes stand in functions/, and where a provider’s answer is judged or imitated',
    pattern: /\bstatus(Code)?['"]?\s*(:|={1,3}|!={1,2}|>=?|<=?)\s*[1-5]\d\d\b/,
    allowed: /^src\/(functions|oauth|adapters|host|providers\/stand-ins)\//,
    breaches: ['{ status: 404 }', 'statusCode === 412', 'status >= 500'],
    lawful: ["{ status: 'failed' }", 'statusText'],
  },
];

const sources = globSync('src/**/*.ts', { cwd: root }).map((path) => {
  const file = path.replaceAll('\\', '/');
  return { file, text: withoutComments(readFileSync(join(root, file), 'utf8')) };
});

function withoutComments(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/(^|[^:'"`])\/\/.*$/gm, '$1');
}

function breachesOf(rule: SourceRule): readonly string[] {
  return sources
    .filter(({ file }) => !rule.allowed.test(file))
    .flatMap(({ file, text }) =>
      text.split('\n').flatMap((line, at) => (rule.pattern.test(line) ? [`${file}:${at + 1} ${line.trim()}`] : [])),
    );
}

describe('in the sources', () => {
  test('there is something to look at', () => {
    expect(sources.length).toBeGreaterThan(20);
  });

  test.each(rules)('$title', (rule) => {
    expect(breachesOf(rule)).toEqual([]);
  });

  test.each(rules)('$title: the pattern sees each breach and nothing else', ({ pattern, breaches, lawful }) => {
    expect(breaches.filter((line) => !pattern.test(line))).toEqual([]);
    expect(lawful.filter((line) => pattern.test(line))).toEqual([]);
  });
});
