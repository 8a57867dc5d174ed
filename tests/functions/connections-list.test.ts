import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, create, rowsOf, serviceBody, summaryFields } from '../support/connections.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
  const bodies: [string, Record<string, unknown>][] = [
    ['ORG1', { connection_name: 'crm', description: 'Customers of the North', tags: ['Sales'] }],
    ['ORG1', { connection_name: 'mail', tags: ['office', 'prod'] }],
    ['ORG1', { connection_name: 'shared-name' }],
    ['ORG2', { connection_name: 'crm', description: 'marker-of-org2' }],
    ['ORG2', { connection_name: 'secret-of-org2', description: 'marker-of-org2' }],
    ['GLOBAL', { connection_name: 'everybody' }],
    ['GLOBAL', { connection_name: 'only-org1', shared_with: ['ORG1'] }],
    ['GLOBAL', { connection_name: 'only-org2', shared_with: ['ORG2'] }],
    ['GLOBAL', { connection_name: 'nobody', shared_with: [] }],
    ['GLOBAL', { connection_name: 'shared-name' }],
  ];
  for (const [org, changes] of bodies) {
    await broker.call('POST', '/api/oauth/connections', { org, body: serviceBody(broker, 'x', changes) });
  }
});
afterAll(() => broker.stop());

const list = (query = '', options: { org?: string | null; key?: string | null } = {}) =>
  broker.call('GET', `/api/oauth/connections${query}`, options);
type Summary = { readonly connection_name: string; readonly org_id: string };
const namesOf = ({ json }: { json: { connections: Summary[] } }) =>
  json.connections.map(({ org_id, connection_name }) => `${org_id}/${connection_name}`);

/** Follows continuations to the end. */
async function walk(query: string, org: string): Promise<{ readonly names: string[]; readonly pages: number }> {
  const names: string[] = [];
  let pages = 0;
  for (let continuation: string | null = ''; continuation !== null; pages += 1) {
    const next: string = continuation === '' ? '' : `&continuation=${encodeURIComponent(continuation)}`;
    const page = await list(`?${query}${next}`, { org });
    expect(page.status).toBe(200);
    names.push(...namesOf(page));
    continuation = page.json.continuation;
    expect(pages).toBeLessThan(100);
  }
  return { names, pages };
}

describe('GET /oauth/connections: 200', () => {
  it('lists the organisation’s own by name, then those that GLOBAL shares with it, and nobody else’s', async () => {
    const answer = await list();
    expect(namesOf(answer)).toEqual([
      'ORG1/crm',
      'ORG1/mail',
      'ORG1/shared-name',
      'GLOBAL/everybody',
      'GLOBAL/only-org1',
      'GLOBAL/shared-name',
    ]);
    expect(answer.json).toMatchObject({ count: 6, continuation: null });
    expect(answer.text).not.toContain('marker-of-org2');
  });

  it('shows every field of the summary, and nothing else', async () => {
    const { json, text } = await list('?search=mail');
    expect(Object.keys(json.connections[0]).toSorted()).toEqual(summaryFields.toSorted());
    expect(json.connections[0]).toMatchObject({
      provider: null,
      oauth_flow_type: 'client_credentials',
      status: 'not_connected',
      status_reason: null,
      expires_at: null,
      tags: ['office', 'prod'],
    });
    expect(text).not.toContain('bowline-');
  });

  it('leaves GLOBAL out with include_global=false', async () => {
    expect(namesOf(await list('?include_global=false'))).toEqual(['ORG1/crm', 'ORG1/mail', 'ORG1/shared-name']);
  });

  it('shows GLOBAL itself all of its own, whoever they are shared with', async () => {
    const expected = ['everybody', 'nobody', 'only-org1', 'only-org2', 'shared-name'].map((name) => `GLOBAL/${name}`);
    expect(namesOf(await list('', { org: 'GLOBAL' }))).toEqual(expected);
    expect(namesOf(await list('', { org: null }))).toEqual(expected);
  });

  it('gives an empty list, not an error, where there is nothing', async () => {
    const answer = await list('?include_global=false', { org: 'ORG-EMPTY' });
    expect(answer).toMatchObject({ status: 200, json: { connections: [], count: 0, continuation: null } });
  });

  it.each([
    ['crm', ['ORG1/crm']],
    ['CRM', ['ORG1/crm']],
    ['north', ['ORG1/crm']],
    ['sales', ['ORG1/crm']],
    ['PROD', ['ORG1/mail']],
    ['shared', ['ORG1/shared-name', 'GLOBAL/shared-name']],
    ['marker-of-org2', []],
    ["' or PartitionKey ne '", []],
  ])('searches names, descriptions and tags for %s', async (search, expected) => {
    expect(namesOf(await list(`?search=${encodeURIComponent(search)}`))).toEqual(expected);
  });

  it('finds the connections of a provider of the catalogue, and none for another', async () => {
    const own = {
      authorization_url: null,
      token_url: undefined,
      userinfo_url: null,
      revocation_url: null,
      issuer: null,
    };
    await create(broker, 'from-the-catalogue', { changes: { ...own, provider: 'github', scopes: null } });
    const found = await list('?provider=github');
    expect(found.json.connections).toMatchObject([{ connection_name: 'from-the-catalogue', provider: 'github' }]);
    await broker.call('DELETE', '/api/oauth/connections/from-the-catalogue?revoke=false');
    expect(await list('?provider=github')).toMatchObject({ status: 200, json: { connections: [], count: 0 } });
  });

  it('filters by the status that is shown, a lapsed token’s among them', async () => {
    const org = 'ORG-STATUS';
    await connect(broker, 'connected', { org });
    await create(broker, 'waiting', { org });
    await create(broker, 'fresh', { org });
    await broker.call('POST', '/api/oauth/connections/waiting/authorize', { org, body: {} });
    await create(broker, 'lapsed', { org });
    await broker.call('POST', '/api/oauth/connections/lapsed/tokens', {
      org,
      body: { access_token: 'x', expires_at: '2020-01-01T00:00:00Z' },
    });
    const by = async (status: string) => namesOf(await list(`?include_global=false&status=${status}`, { org }));
    expect(await by('completed')).toEqual(['ORG-STATUS/connected']);
    expect(await by('waiting_callback')).toEqual(['ORG-STATUS/waiting']);
    expect(await by('not_connected')).toEqual(['ORG-STATUS/fresh']);
    expect(await by('failed')).toEqual(['ORG-STATUS/lapsed']);
    expect(await by('testing')).toEqual([]);
  });
});

describe('GET /oauth/connections: pages', () => {
  const org = 'ORG-MANY';
  const expected = Array.from({ length: 23 }, (_, at) => `n${String(at).padStart(2, '0')}`);
  beforeAll(async () => {
    await Promise.all(
      expected.map((name, at) =>
        broker.call('POST', '/api/oauth/connections', {
          org,
          body: serviceBody(broker, name, {
            client_auth: 'client_secret_post',
            ...(at % 10 === 3 && { tags: ['rare'] }),
          }),
        }),
      ),
    );
  });

  it.each([1, 5, 22, 23, 24, 100])(
    'of %i give every connection once and in order, GLOBAL’s after them',
    async (limit) => {
      const { names } = await walk(`limit=${limit}`, org);
      expect(names).toEqual([...expected.map((name) => `${org}/${name}`), 'GLOBAL/everybody', 'GLOBAL/shared-name']);
    },
  );

  it('never hold more than asked, and 50 where nothing is asked', async () => {
    expect((await list('?limit=7', { org })).json.count).toBe(7);
    expect((await list('', { org })).json).toMatchObject({ count: 25, continuation: null });
  });

  it('of a search that finds little still end, and find all', async () => {
    const { names } = await walk('limit=2&search=rare', org);
    expect(names).toEqual(['n03', 'n13'].map((name) => `${org}/${name}`));
  });

  it('go on while connections are deleted in between', async () => {
    await broker.call('POST', '/api/oauth/connections', { org: 'ORG-GAP', body: serviceBody(broker, 'a') });
    await broker.call('POST', '/api/oauth/connections', { org: 'ORG-GAP', body: serviceBody(broker, 'b') });
    await broker.call('POST', '/api/oauth/connections', { org: 'ORG-GAP', body: serviceBody(broker, 'c') });
    const first = await list('?limit=1&include_global=false', { org: 'ORG-GAP' });
    await broker.call('DELETE', '/api/oauth/connections/b', { org: 'ORG-GAP' });
    const rest = `?limit=10&include_global=false&continuation=${first.json.continuation}`;
    expect(namesOf(await list(rest, { org: 'ORG-GAP' }))).toEqual(['ORG-GAP/c']);
  });

  it('stay in the caller’s organisation, whatever a forged continuation names', async () => {
    const forged = Buffer.from(JSON.stringify({ nextPartitionKey: 'ORG2', nextRowKey: 'crm' })).toString('base64');
    const continuation = `own.${Buffer.from(forged).toString('base64url')}`;
    const answer = await list(`?continuation=${continuation}&include_global=false`);
    expect(answer.text).not.toContain('marker-of-org2');
    expect(answer.text).not.toContain('ORG2');
  });
});

describe('GET /oauth/connections: 400 validation_failed', () => {
  it.each([
    ['?limit=0', 'limit'],
    ['?limit=101', 'limit'],
    ['?limit=ten', 'limit'],
    ['?limit=5&limit=6', 'limit'],
    ['?status=ready', 'status'],
    ['?include_global=1', 'include_global'],
    ['?search=', 'search'],
    [`?search=${'x'.repeat(101)}`, 'search'],
    ['?sort=name', 'sort'],
    ['?continuation=garbage', 'continuation'],
    ['?continuation=own.garbage', 'continuation'],
    ['?continuation=theirs.', 'continuation'],
    ['?continuation=own.%00', 'continuation'],
    [`?continuation=${'x'.repeat(3000)}`, 'continuation'],
  ])('for %s', async (query, at) => {
    expect(await list(query)).toMatchObject({
      status: 400,
      json: { error: 'validation_failed', details: [{ path: at, message: expect.any(String) }] },
    });
  });
});

describe('GET /oauth/connections: who may', () => {
  it.each(['operator', 'auditor', 'admin'] as const)('200 for the role %s', async (role) => {
    expect((await list('', { key: await broker.createKey(['ORG1'], [role]) })).status).toBe(200);
  });

  it('403 role_required for the role reader alone', async () => {
    const refused = await list('', { key: await broker.createKey(['ORG1'], ['reader']) });
    expect(refused).toMatchObject({ status: 403, json: { error: 'role_required' } });
  });

  it.each(['ORG2', 'NEVER-SEEN'])('403 organization_forbidden for another organisation: %s', async (org) => {
    const refused = await list('', { key: await broker.createKey(['ORG1'], ['admin']), org });
    expect(refused).toMatchObject({ status: 403, json: { error: 'organization_forbidden' } });
  });

  it('401 without a key', async () => {
    expect(await list('', { key: null })).toMatchObject({ status: 401, json: { error: 'unauthenticated' } });
  });

  it('writes nothing', async () => {
    const before = await rowsOf(broker, 'OAuthConnections');
    await list();
    expect(await rowsOf(broker, 'OAuthConnections')).toEqual(before);
  });
});
