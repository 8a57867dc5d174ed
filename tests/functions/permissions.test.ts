import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Role } from '../../src/domain/caller.ts';
import { routeTable } from '../../src/functions/route-table.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { bodyOf, pathOf } from './support/every-route.ts';

type Wanted = { readonly public: number } | { readonly anyCaller: number } | Readonly<Partial<Record<Role, number>>>;

const everyone = { admin: 200, operator: 200, auditor: 200, reader: 200 };

/**
 * The contract: which role gets which status from which route, where nothing exists that it names. A role that is left
 * out gets 403 role_required. Whoever adds a route adds it here.
 */
const contract: Readonly<Record<string, Wanted>> = {
  'connections-create': { admin: 400 },
  'connections-list': { operator: 200, auditor: 200, admin: 200 },
  'connections-get': { operator: 404, auditor: 404, admin: 404 },
  'connections-update': { admin: 404 },
  'connections-delete': { admin: 404 },
  'connections-test': { operator: 404, admin: 404 },
  'connections-refresh': { operator: 404, admin: 404 },
  'connections-tokens': { admin: 404 },
  'connections-disconnect': { operator: 404, admin: 404 },
  'connections-introspect': { operator: 404, admin: 404 },
  'connections-grants': { operator: 404, auditor: 404, admin: 404 },
  'connections-events': { auditor: 200, admin: 200 },
  'connections-authorize': { operator: 404, admin: 404 },
  'connect-page': { public: 404 },
  'callback-get': { public: 400 },
  'callback-post': { public: 303 },
  'connections-cancel': { operator: 404, admin: 404 },
  jwks: { public: 404 },
  'credentials-get': { reader: 404 },
  'credentials-exchange': { reader: 404 },
  'workflow-dependencies-add': { reader: 404, operator: 404, admin: 404 },
  'workflow-dependencies-list': everyone,
  'workflow-dependencies-remove': { operator: 404, admin: 404 },
  'workflows-disabled': { operator: 200, auditor: 200, admin: 200 },
  'workflows-enable': { operator: 200, admin: 200 },
  'workflows-disable': { operator: 200, admin: 200 },
  'refresh-all': { admin: 202 },
  'refresh-job-status': { operator: 200, auditor: 200, admin: 200 },
  revoke: { admin: 200 },
  export: { admin: 200 },
  import: { admin: 200 },
  // The admin of one organisation is not the platform's.
  rekey: { admin: 403 },
  'rekey-job-status': { admin: 403 },
  'audit-list': { auditor: 200, admin: 200 },
  'providers-list': { anyCaller: 200 },
  'providers-get': { anyCaller: 404 },
  'callers-list': { admin: 200 },
  'callers-create': { admin: 400 },
  'callers-rotate': { admin: 404 },
  'callers-delete': { admin: 404 },
  me: { anyCaller: 200 },
  health: { public: 200 },
  'health-ready': { public: 200 },
  'openapi-json': { public: 200 },
  docs: { public: 200 },
};

const roles: readonly Role[] = ['admin', 'operator', 'reader', 'auditor'];
/** Headers that carry an identity elsewhere, and none here. */
const claims = {
  'x-user-id': 'root',
  'x-ms-client-principal': Buffer.from('{"userRoles":["admin"]}').toString('base64'),
  'x-ms-client-principal-id': 'root',
  'x-ms-client-principal-name': 'root',
  'x-ms-token-aad-access-token': 'e30.e30.',
  'x-forwarded-for': '127.0.0.1',
  'x-forwarded-user': 'root',
  'x-original-url': '/api/health',
};

let broker: TestBroker;
let keys: Readonly<Record<string, string>>;
beforeAll(async () => {
  broker = await startTestBroker();
  const made = await Promise.all(roles.map(async (role) => [role, await broker.createKey(['ORG1'], [role])] as const));
  const brief = await broker.call('POST', '/api/oauth/callers', {
    body: { name: 'brief', org_ids: ['ORG1'], roles, expires_at: new Date(broker.clock.now() + 1000).toISOString() },
  });
  const deleted = await broker.createKey(['ORG1'], [...roles]);
  await broker.call('DELETE', `/api/oauth/callers/${deleted.split('_')[1]}`, { org: 'GLOBAL' });
  await broker.call('POST', '/api/oauth/refresh_all', { body: {} });
  broker.clock.advance(1001);
  keys = Object.fromEntries([...made, ['expired', brief.json.api_key], ['deleted', deleted]]);
});
afterAll(() => broker.stop());

it('has a line for each route, and no other', () => {
  expect(Object.keys(contract).sort()).toEqual(routeTable.map(({ name }) => name).sort());
});

it('lists as public what the security checklist lists as public, and nothing else (S-02)', () => {
  const open = Object.entries(contract).flatMap(([name, wanted]) => ('public' in wanted ? [name] : []));
  const listed = [
    'callback-get',
    'callback-post',
    'connect-page',
    'docs',
    'health',
    'health-ready',
    'jwks',
    'openapi-json',
  ];
  expect(open.sort()).toEqual(listed);
  const declared = routeTable.filter(({ permission }) => permission.kind === 'public').map(({ name }) => name);
  expect(declared.sort()).toEqual(listed);
});

describe.each(routeTable.map((route) => [route.name, route] as const))('%s', (name, route) => {
  const wanted = contract[name] ?? {};
  const ask = (call: { key: string | null; org?: string | null; headers?: Record<string, string> }) =>
    broker.call(route.method, pathOf(route.path), { body: bodyOf(route), ...call });

  const open = 'public' in wanted ? wanted.public : undefined;
  const anyCaller = 'anyCaller' in wanted ? wanted.anyCaller : undefined;

  it('without a valid key: 401, or open to the public', async () => {
    const attempts = [
      { key: null },
      { key: null, headers: claims },
      { key: 'garbage' },
      { key: `bwl_${'0'.repeat(32)}_${'A'.repeat(43)}` },
      { key: null, headers: { authorization: 'Basic YWRtaW46YWRtaW4=' } },
      { key: null, headers: { authorization: 'Bearer e30.e30.' } },
      { key: keys.expired ?? null },
      { key: keys.deleted ?? null },
    ];
    for (const attempt of attempts) {
      const answer = await ask(attempt);
      expect(answer.status, JSON.stringify(attempt)).toBe(open ?? 401);
      if (open === undefined) expect(answer.json.error).toBe('unauthenticated');
    }
  });

  it('for another organisation than the key’s: 403, whether it exists or not', async () => {
    for (const role of roles) {
      for (const org of ['ORG2', 'NEVER-SEEN', 'GLOBAL']) {
        const answer = await ask({ key: keys[role] ?? null, org });
        expect(answer.status, role).toBe(open ?? anyCaller ?? 403);
        if (open === undefined && anyCaller === undefined) expect(answer.json.error).toBe('organization_forbidden');
      }
    }
  });

  it.each(roles)('with the role %s alone', async (role) => {
    const allowed = open ?? anyCaller ?? (wanted as Partial<Record<Role, number>>)[role];
    for (const headers of [{}, claims]) {
      const answer = await ask({ key: keys[role] ?? null, headers });
      expect(answer.status, answer.text).toBe(allowed ?? 403);
      if (allowed === undefined) expect(answer.json.error).toBe('role_required');
    }
  });
});

describe('S-02 the host’s own paths', () => {
  it.each(['/admin/functions/refreshSweep', '/admin/host/status', '/runtime/webhooks/anything'])(
    'are closed without the host key: %s',
    async (path) => {
      for (const key of [null, broker.adminKey]) {
        const answer = await broker.call(path.startsWith('/admin/functions') ? 'POST' : 'GET', path, { key });
        expect([401, 403, 404]).toContain(answer.status);
      }
    },
  );
});
