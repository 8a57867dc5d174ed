import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Role, roles } from '../../src/domain/caller.ts';
import { routeTable } from '../../src/functions/route-table.ts';
import { bodyOf, pathOf } from '../functions/support/every-route.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';

/** Every set of roles, the single ones first. */
const roleSets: readonly (readonly Role[])[] = Array.from({ length: 2 ** roles.length - 1 }, (_, index) =>
  roles.filter((_role, bit) => ((index + 1) & (1 << bit)) !== 0),
).toSorted((a, b) => a.length - b.length);
const nameOf = (set: readonly Role[]) => set.join(' + ');

/** The explicit list of what is open to the public (API.md; S-02). */
const publicRoutes = [
  'connect-page',
  'callback-get',
  'callback-post',
  'jwks',
  'health',
  'health-ready',
  'openapi-json',
  'docs',
];
const strangers = ['no credential', 'garbage', 'expired'];

type Row = Readonly<Record<string, number>>;

let broker: TestBroker;
let columns: readonly (readonly [name: string, call: { key: string | null; org: string }])[];
const matrix = new Map<string, Row>();
beforeAll(async () => {
  broker = await startTestBroker();
  const expiring = await broker.call('POST', '/api/oauth/callers', {
    org: 'GLOBAL',
    body: { name: 'brief', org_ids: ['ORG1'], roles, expires_at: new Date(broker.clock.now() + 1000).toISOString() },
  });
  const whole = await broker.createKey(['ORG1'], roles);
  const keys = await Promise.all(roleSets.map((set) => broker.createKey(['ORG1'], set)));
  broker.clock.advance(1001);
  columns = [
    ['no credential', { key: null, org: 'ORG1' }],
    ['garbage', { key: 'garbage', org: 'ORG1' }],
    ['expired', { key: expiring.json.api_key, org: 'ORG1' }],
    ['wrong organisation', { key: whole, org: 'ORG2' }],
    ...roleSets.map((set, index) => [nameOf(set), { key: keys[index] ?? null, org: 'ORG1' }] as const),
    ['platform, every role', { key: broker.adminKey, org: 'GLOBAL' }],
  ];
  for (const route of routeTable) {
    const row: Record<string, number> = {};
    for (const [name, call] of columns) {
      row[name] = (await broker.call(route.method, pathOf(route.path), { body: bodyOf(route), ...call })).status;
    }
    matrix.set(route.name, row);
  }
}, 60_000);
afterAll(() => broker.stop());

describe('S-06 the route table by who asks', () => {
  it('answers in every cell as route-matrix.md says, where nothing exists that is named', async () => {
    await expect(asMarkdown()).toMatchFileSnapshot('./route-matrix.md');
  });

  it('S-02 is closed to everybody without a living key, but for the routes on the public list', () => {
    for (const [route, row] of matrix) {
      for (const name of strangers) {
        if (publicRoutes.includes(route)) expect(row[name], route).not.toBe(401);
        else expect(row[name], `${route}: ${name}`).toBe(401);
      }
    }
    const open = routeTable.filter(({ permission }) => permission.kind === 'public').map(({ name }) => name);
    expect(open.toSorted()).toEqual(publicRoutes.toSorted());
  });

  it('gives a set of roles what one of them has, and never more', () => {
    for (const [route, row] of matrix) {
      for (const set of roleSets) {
        const singles = set.map((role) => row[role] ?? 0);
        const best = singles.find((status) => status !== 403) ?? 403;
        expect(row[nameOf(set)], `${route}: ${nameOf(set)}`).toBe(best);
      }
    }
  });

  it('keeps credentials from every set of roles without reader', () => {
    const row = matrix.get('credentials-get') ?? {};
    for (const set of roleSets) expect(row[nameOf(set)], nameOf(set)).toBe(set.includes('reader') ? 404 : 403);
  });
});

/** Narrow enough to be read: the routes go down, and the sets of roles stand with their first letters. */
function asMarkdown(): string {
  const initials: Readonly<Record<Role, string>> = { admin: 'A', operator: 'O', reader: 'R', auditor: 'U' };
  const short = (name: string) =>
    roleSets.some((set) => nameOf(set) === name)
      ? name
          .split(' + ')
          .map((role) => initials[role as Role])
          .join('')
      : name;
  const heads = columns.map(([name]) => short(name));
  const lines = [...matrix].map(
    ([route, row]) => `| \`${route}\` | ${columns.map(([name]) => row[name]).join(' | ')} |`,
  );
  return [
    '# Which status every route answers with, by who asks',
    '',
    'A admin, O operator, R reader, U auditor: API keys of ORG1 with these roles and no other. "wrong organisation" is a key',
    'with every role that asks for an organisation that it is not for. What a path names does not exist, so whoever may is',
    'answered by 404 where a name is looked up, and by 400 where a body is not complete.',
    '',
    `| route | ${heads.join(' | ')} |`,
    `|---|${heads.map(() => '---').join('|')}|`,
    ...lines,
    '',
  ].join('\n');
}
