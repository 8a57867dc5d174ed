import { randomBytes } from 'node:crypto';
import pLimit from 'p-limit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Role } from '../../src/domain/caller.ts';
import type { Route } from '../../src/functions/http/route.ts';
import { routeTable } from '../../src/functions/route-table.ts';
import { createSeededRandom } from '../chaos/support/seeded-random.ts';
import { type Call, type Result, startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { essenceOf } from './support/answers.ts';

const calls = 10_000;
const orgs = ['ORGA', 'ORGB', 'ORGC', 'ORGD', 'ORGE'];
/** The same in every organisation. */
const names = Array.from({ length: 10 }, (_, index) => `crm-${index}`);
const workflows = ['sync-0', 'sync-1'];
/** The only organisations that the GLOBAL connection is shared with. */
const sharedWith = ['ORGA', 'ORGB'];
const allRoles: readonly Role[] = ['admin', 'operator', 'reader', 'auditor'];

/** Text that shows wherever it comes out whose it is. `SECRET` may come out nowhere. */
const canary = (whose: string) => `cnry-${whose}-${randomBytes(8).toString('hex')}`;
const onlyOf = (org: string) => `only-${org.toLowerCase()}`;
const seed = Number(process.env.SECURITY_SEED ?? randomBytes(4).readUInt32BE());

interface Asker {
  readonly key: string;
  readonly orgIds: readonly string[];
}

let broker: TestBroker;
let askers: readonly Asker[];
let ids: { readonly callers: readonly string[]; readonly jobs: readonly string[] };
beforeAll(async () => {
  broker = await startTestBroker({
    settings: { RATE_LIMIT_PER_MINUTE: '0', AUTHORIZE_LIMIT_PER_MINUTE: '0', CREDENTIAL_CACHE_SECONDS: '5' },
  });
  const limit = pLimit(8);
  const places = orgs.flatMap((org) => [...names, onlyOf(org)].map((name) => [org, name] as const));
  await Promise.all([...places, ['GLOBAL', 'shared'] as const].map((place) => limit(() => fill(...place))));
  await Promise.all(orgs.flatMap((org) => workflows.map((id) => limit(() => dependOn(org, id)))));
  const wanted: [string[], readonly Role[]][] = [
    ...orgs.flatMap((org): [string[], readonly Role[]][] => [
      [[org], allRoles],
      [[org], ['reader']],
      [[org], ['operator', 'auditor']],
    ]),
    [['ORGA', 'ORGB'], allRoles],
    [['ORGC', 'ORGD'], allRoles],
  ];
  askers = await Promise.all(
    wanted.map(async ([orgIds, roles]) => ({ orgIds, key: await broker.createKey(orgIds, roles) })),
  );
  const jobs = await Promise.all(orgs.map((org) => ask('POST', '/api/oauth/refresh_all', { org, body: {} })));
  ids = { callers: askers.map(({ key }) => key.split('_')[1] ?? ''), jobs: jobs.map(({ json }) => json.job_id) };
}, 60_000);
afterAll(() => broker.stop());

async function ask(method: string, path: string, call: Call): Promise<Result> {
  const answer = await broker.call(method, path, call);
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.text}`);
  return answer;
}

/** A connection whose every text, secret and token is its organisation's own. */
async function fill(org: string, name: string): Promise<void> {
  const texts = {
    client_id: canary(org),
    description: canary(org),
    tags: [canary(org)],
    extra_authorize_params: { hint: canary(org) },
    client_secret: canary('SECRET'),
    ...(org === 'GLOBAL' && { shared_with: sharedWith }),
  };
  await ask('POST', '/api/oauth/connections', { org, body: broker.connectionBody(name, texts) });
  const expires_at = new Date(broker.clock.now() + 90 * 86_400_000).toISOString();
  for (const user_id of [null, 'alice']) {
    const body = {
      user_id,
      access_token: canary(org),
      refresh_token: canary('SECRET'),
      scopes: canary(org),
      expires_at,
    };
    await ask('POST', `/api/oauth/connections/${name}/tokens`, { org, body });
  }
}

async function dependOn(org: string, id: string): Promise<void> {
  const body = { connection_name: names[0], workflow_name: canary(org) };
  await ask('POST', `/api/oauth/workflows/${id}/dependencies`, { org, body });
}

/** What takes something away or calls the provider asks only for what is not the caller's: the others must keep it. */
const harmful = ['connections-delete', 'connections-disconnect', 'connections-refresh', 'callers-delete'];
/** A round of every organisation's grants, and what is the same for everybody, is not about who sees what. */
const left = ['refresh-all', 'docs', 'openapi-json', 'health', 'health-ready'];
const asked = routeTable.filter(({ name }) => !left.includes(name));
/** Mostly what shows something: what is written in between is for that to be shown. */
const shows = asked.filter(
  ({ name, method }) => method === 'GET' && name !== 'connect-page' && name !== 'callback-get',
);

const random = createSeededRandom(seed);

function randomCall({ key, orgIds }: Asker): { route: Route; path: string; call: Call; org: string | undefined } {
  const route = random.pick(random.fraction() < 0.8 ? shows : asked);
  const named = random.pick(['', ...orgIds, ...orgIds, random.pick(orgs), 'GLOBAL', 'NOBODY']);
  const org = named === '' ? (orgIds.length === 1 ? orgIds[0] : undefined) : orgIds.find((id) => id === named);
  const foreign = ['absent', ...orgs.filter((each) => !orgIds.includes(each)).map(onlyOf)];
  const isHarmful = harmful.includes(route.name);
  const connection = random.pick(isHarmful ? foreign : [...names, ...orgs.map(onlyOf), 'shared', 'absent']);
  const user = random.pick(['', 'alice', 'bob']);
  const path = route.path
    .replace('{connection_name}', connection)
    .replace('{workflow_id}', random.pick([...workflows, 'absent']))
    .replace('{token}', randomBytes(16).toString('hex'))
    .replace('{id}', isHarmful ? 'f'.repeat(32) : random.pick(ids.callers));
  const query = {
    'credentials-get': user === '' ? '' : `?user_id=${user}`,
    'connections-list': random.pick(['', '?limit=3', '?search=crm', '?search=cnry', '?include_global=false']),
    'refresh-job-status': random.pick(['', `?job_id=${random.pick(ids.jobs)}`]),
    'callback-get': '?code=x&state=y',
  }[route.name];
  const own = orgIds[0] ?? '';
  const body = {
    'connections-create': { ...broker.connectionBody(random.pick(names)), description: canary(own) },
    'connections-update': { description: canary(org ?? 'SECRET') },
    'connections-tokens': {
      access_token: canary(org ?? 'SECRET'),
      refresh_token: canary('SECRET'),
      user_id: user || null,
    },
    'connections-authorize': { user_id: user || null },
    'workflow-dependencies-add': { connection_name: connection, workflow_name: canary(org ?? 'SECRET') },
    'callers-create': { name: canary(org ?? 'SECRET'), roles: ['reader'] },
  }[route.name];
  const takesBody = route.method === 'POST' || route.method === 'PUT';
  const call = { key, org: named || null, ...(takesBody && { body: body ?? {} }) };
  return { route, path: `/api${path}${query ?? ''}`, call, org };
}

describe(`S-07 five organisations with the same names (SECURITY_SEED=${seed} repeats this)`, () => {
  it(`see no foreign byte in ${calls} random calls`, async () => {
    const limit = pLimit(16);
    const seen = { own: 0, shared: 0, refused: 0 };
    const leaks: string[] = [];
    const failures: string[] = [];
    const one = async () => {
      const { route, path, call, org } = randomCall(random.pick(askers));
      const answer = await broker.call(route.method, path, call);
      const allowed = org === undefined ? [] : [org, ...(sharedWith.includes(org) ? ['GLOBAL'] : [])];
      const whole = `${JSON.stringify([...answer.headers])}${answer.text}`;
      for (const [, whose = ''] of whole.matchAll(/cnry-([A-Z]+)-/g)) {
        if (!allowed.includes(whose)) leaks.push(`${route.method} ${path} for ${org}: ${whose}`);
        else if (whose === 'GLOBAL') seen.shared += 1;
        else seen.own += 1;
      }
      if (answer.status >= 500 && answer.status !== 503) failures.push(`${route.name} ${answer.text}`);
      if (answer.status === 403 || answer.status === 404) seen.refused += 1;
    };
    await Promise.all(Array.from({ length: calls }, () => limit(one)));
    expect(leaks).toEqual([]);
    expect(failures).toEqual([]);
    // It was about something.
    expect(seen.own).toBeGreaterThan(1000);
    expect(seen.shared).toBeGreaterThan(20);
    expect(seen.refused).toBeGreaterThan(1000);
  }, 240_000);

  it('keep what others tried to take', async () => {
    for (const org of orgs) {
      for (const name of [...names, onlyOf(org)]) {
        const { json } = await ask('GET', `/api/oauth/credentials/${name}`, { org });
        expect(json.access_token, `${org} ${name}`).toMatch(new RegExp(`^cnry-${org}-`));
      }
    }
    for (const { key } of askers) await ask('GET', '/api/oauth/me', { key, org: null });
  });
});

describe('S-07 what belongs to another organisation looks like what does not exist, byte by byte', () => {
  /** An organisation's own attempts at a name are its own history, whether the name is anything or not. */
  const ofAttempts = 'connections-events';
  const ofConnection = routeTable.filter(
    ({ name, path, permission }) =>
      name !== ofAttempts && path.includes('{connection_name}') && permission.kind === 'organisation',
  );
  const bodies: Readonly<Record<string, unknown>> = {
    'connections-tokens': { access_token: 'at' },
    'credentials-exchange': { subject_token: 'somebody’s' },
  };
  const requestOf = (route: Route, name: string): [string, string, unknown] => [
    route.method,
    `/api${route.path.replace('{connection_name}', name).replace('{workflow_id}', 'sync-0')}`,
    route.method === 'GET' || route.method === 'DELETE' ? undefined : (bodies[route.name] ?? {}),
  ];

  it.each(ofConnection.map((route) => [route.name, route] as const))('404 of %s', async (_name, route) => {
    const key = askers[0]?.key ?? null;
    const answer = async (name: string) => {
      const [method, path, body] = requestOf(route, name);
      const given = await broker.call(method, path, { key, org: 'ORGA', ...(body !== undefined && { body }) });
      expect(given.status, given.text).toBe(404);
      return essenceOf(given).replaceAll(name, '<name>');
    };
    expect(await answer(onlyOf('ORGB'))).toBe(await answer('only-orgz'));
  });

  it('404 of a caller and of a job', async () => {
    const key = askers[0]?.key ?? null;
    const ofB = ids.callers[3] ?? '';
    const answer = async (method: string, path: string, id: string) => {
      const given = await broker.call(method, path.replace('{id}', id), { key, org: 'ORGA' });
      expect(given.status, given.text).toBe(404);
      return essenceOf(given).replaceAll(id, '<id>');
    };
    const caller = '/api/oauth/callers/{id}';
    expect(await answer('DELETE', caller, ofB)).toBe(await answer('DELETE', caller, 'f'.repeat(ofB.length)));
    const job = '/api/oauth/refresh_job_status?job_id={id}';
    const jobOfB = ids.jobs[1] ?? '';
    expect(await answer('GET', job, jobOfB)).toBe(await answer('GET', job, `${jobOfB.slice(0, -4)}0000`));
  });
});
