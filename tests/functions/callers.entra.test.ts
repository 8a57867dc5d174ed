import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Role } from '../../src/domain/caller.ts';
import { objectId, register, withToken } from '../security/support/entra-calls.ts';
import { type EntraAuthority, startEntraAuthority } from '../support/entra-authority.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';

let entra: EntraAuthority;
let broker: TestBroker;
/** A deployment where an organisation is a tenant. */
let byTenant: TestBroker;
beforeAll(async () => {
  entra = await startEntraAuthority({ now: () => broker.clock.now() });
  broker = await startTestBroker({ settings: entra.settings });
  byTenant = await startTestBroker({ beside: broker, settings: { ...entra.settings, ENTRA_ORG_FROM_TENANT: 'true' } });
});
afterAll(async () => {
  await byTenant.stop();
  await broker.stop();
  await entra.stop();
});

const everyAppRole = ['Bowline.Admin', 'Bowline.Operator', 'Bowline.Reader', 'Bowline.Auditor'];
const tokenOf = (oid: string, roles: readonly string[] = everyAppRole) => entra.token({ claims: { oid, roles } });
const newObjectId = () => crypto.randomUUID();

describe('POST callers with kind entra', () => {
  it('201: the principal, and no key', async () => {
    const expires_at = '2099-01-01T00:00:00.000Z';
    const made = await register(broker, entra, { org_ids: ['ORG1', 'ORG2'], roles: ['reader'], expires_at });
    expect(made.status).toBe(201);
    expect(made.json).toEqual({
      id: `entra:${entra.tenantId}:${objectId}`,
      kind: 'entra',
      name: 'a principal',
      org_ids: ['ORG1', 'ORG2'],
      roles: ['reader'],
      expires_at,
      created_at: expect.any(String),
      created_by: 'bootstrap',
      last_used_at: null,
      rotated_to: null,
      tenant_id: entra.tenantId,
      object_id: objectId,
      api_key: null,
    });
  });

  it('takes the ids in capitals too, and 409 caller_exists for one that is registered', async () => {
    const object_id = newObjectId();
    const first = await register(broker, entra, {
      object_id: object_id.toUpperCase(),
      tenant_id: entra.tenantId.toUpperCase(),
    });
    expect(first.json.object_id).toBe(object_id);
    expect(await register(broker, entra, { object_id, roles: ['admin'] })).toMatchObject({
      status: 409,
      json: { error: 'caller_exists' },
    });
  });

  it.each([
    ['a tenant whose tokens are not taken', { tenant_id: newObjectId() }, 'tenant_id'],
    ['an object id that is none', { object_id: 'x' }, 'object_id'],
    ['no roles at all', { roles: [] }, 'roles'],
    ['GLOBAL', { org_ids: ['GLOBAL'] }, 'org_ids'],
  ])('400 for %s', async (_what, changes, path) => {
    expect(await register(broker, entra, { object_id: newObjectId(), ...changes })).toMatchObject({
      status: 400,
      json: { error: 'validation_failed', details: [{ path }] },
    });
  });

  it('400 for a principal without a tenant or an object', async () => {
    for (const [field, body] of [
      ['tenant_id', { object_id: newObjectId() }],
      ['object_id', { tenant_id: entra.tenantId }],
    ] as const) {
      expect(
        await broker.call('POST', '/api/oauth/callers', { body: { kind: 'entra', name: 'x', ...body } }),
      ).toMatchObject({
        status: 400,
        json: { details: [{ path: field }] },
      });
    }
  });

  it('400 for an API key with an object id, and for a kind that is none', async () => {
    for (const body of [
      { name: 'x', roles: ['reader'], object_id: newObjectId() },
      { name: 'x', roles: ['reader'], kind: 'saml' },
    ]) {
      expect((await broker.call('POST', '/api/oauth/callers', { body })).status).toBe(400);
    }
  });

  it('403 for more than the maker holds; roles that are left out are the maker’s own', async () => {
    const by = { key: await broker.createKey(['ORG1'], ['admin', 'reader']), org: null };
    const object_id = newObjectId();
    expect(await register(broker, entra, { object_id, roles: ['operator'] }, by)).toMatchObject({
      json: { error: 'role_required' },
      status: 403,
    });
    for (const org_ids of [['ORG2'], ['*']]) {
      expect(await register(broker, entra, { object_id, org_ids }, by)).toMatchObject({
        json: { error: 'organization_forbidden' },
        status: 403,
      });
    }
    const key = await broker.createKey(['*'], ['admin', 'reader']);
    const made = await register(broker, entra, { object_id }, { key, org: null });
    expect(made.json).toMatchObject({ roles: ['admin', 'reader'], created_by: key.split('_')[1] });
    expect((await withToken(broker, tokenOf(object_id))).json.roles).toEqual(['admin', 'reader']);
  });

  it('takes an end from the maker’s own, and 400 for a later one', async () => {
    const end = new Date(broker.clock.now() + 3_600_000).toISOString();
    const body = { name: 'brief', org_ids: ['*'], roles: ['admin'], expires_at: end };
    const key = (await broker.call('POST', '/api/oauth/callers', { body })).json.api_key;
    const object_id = newObjectId();
    const late = { object_id, expires_at: '2099-01-01T00:00:00.000Z' };
    expect((await register(broker, entra, late, { key, org: null })).status).toBe(400);
    expect((await register(broker, entra, { object_id }, { key, org: null })).json.expires_at).toBe(end);
  });
});

describe('who may register a principal', () => {
  const refusal = { status: 403, json: { error: 'organization_forbidden' } };

  it('a platform caller only; nobody else learns whether it is registered', async () => {
    const by = { key: await broker.createKey(['ORG1'], ['admin', 'reader']), org: null };
    const object_id = newObjectId();
    const before = await register(broker, entra, { object_id }, by);
    expect(before).toMatchObject(refusal);
    expect(before.json.message).toBe('Only a platform caller (org_ids ["*"]) registers principals here.');
    expect((await withToken(broker, tokenOf(object_id))).status).toBe(403);
    expect((await register(broker, entra, { object_id, org_ids: ['ORG2'] })).status).toBe(201);
    expect((await register(broker, entra, { object_id }, by)).json.message).toBe(before.json.message);
  });

  it('where a tenant is an organisation, also an admin of that tenant, and of no other', async () => {
    const own = { key: await byTenant.createKey([entra.tenantId], ['admin', 'reader']), org: null };
    const stranger = { key: await byTenant.createKey(['ORG1'], ['admin', 'reader']), org: null };
    const object_id = newObjectId();
    const refused = await register(byTenant, entra, { object_id }, stranger);
    expect(refused).toMatchObject(refusal);
    expect(refused.json.message).toBe('You can register only principals of a tenant you may act for.');
    expect((await withToken(byTenant, tokenOf(object_id))).json.org_ids).toEqual([entra.tenantId]);
    expect((await register(byTenant, entra, { object_id, org_ids: [entra.tenantId] }, own)).status).toBe(201);
    expect((await register(byTenant, entra, { object_id: newObjectId() })).status).toBe(201);
  });
});

describe('a principal', () => {
  const registered = async (roles?: readonly Role[], org_ids = ['ORG1']) => {
    const object_id = newObjectId();
    await register(broker, entra, { object_id, org_ids, ...(roles && { roles }) });
    return object_id;
  };

  it.each([
    ['Bowline.Admin', 'admin'],
    ['Bowline.Operator', 'operator'],
    ['Bowline.Reader', 'reader'],
    ['Bowline.Auditor', 'auditor'],
  ])('with the app role %s has the role %s, and no other', async (appRole, role) => {
    expect((await withToken(broker, tokenOf(await registered(), [appRole]))).json.roles).toEqual([role]);
  });

  it('has the app roles that its registration allows; others’ app roles give none', async () => {
    const oid = await registered(['reader', 'auditor']);
    for (const [appRoles, roles] of [
      [everyAppRole, ['reader', 'auditor']],
      [['Bowline.Admin', 'Bowline.Reader', 'Bowline.Reader'], ['reader']],
      [['Bowline.Admin'], []],
      [['bowline.reader', 'Reader', 'Bowline.Reader ', 'Other.Admin'], []],
    ]) {
      expect((await withToken(broker, tokenOf(oid, appRoles))).json.roles.sort()).toEqual(roles?.toSorted());
    }
  });

  it('acts for the organisations of its registration alone, in its roles alone', async () => {
    const oid = await registered(undefined, ['ORG1', 'ORG2']);
    const at = (org: string | null, roles: readonly string[]) =>
      withToken(broker, tokenOf(oid, roles), '/api/oauth/connections', { org });
    expect((await at('ORG2', ['Bowline.Auditor'])).status).toBe(200);
    expect(await at(null, ['Bowline.Auditor'])).toMatchObject({ json: { error: 'organization_required' } });
    for (const org of ['ORG3', 'GLOBAL', entra.tenantId]) {
      expect(await at(org, everyAppRole)).toMatchObject({ status: 403, json: { error: 'organization_forbidden' } });
    }
    expect(await at('ORG1', ['Bowline.Reader'])).toMatchObject({ status: 403, json: { error: 'role_required' } });
    expect(await at('ORG1', [])).toMatchObject({ status: 403, json: { error: 'role_required' } });
  });

  it('makes keys in its own name, and a platform principal acts for every organisation', async () => {
    const oid = await registered(undefined, ['*']);
    const made = await broker.call('POST', '/api/oauth/callers', {
      key: null,
      headers: { authorization: `Bearer ${tokenOf(oid)}` },
      org: 'ORG7',
      body: { name: 'made by a principal', roles: ['reader'] },
    });
    expect(made.json).toMatchObject({ org_ids: ['ORG7'], created_by: `entra:${entra.tenantId}:${oid}` });
  });

  it('that nobody registered is refused: 403 organization_forbidden', async () => {
    expect(await withToken(broker, tokenOf(newObjectId()))).toMatchObject({
      status: 403,
      json: { error: 'organization_forbidden' },
    });
  });

  it('is listed and deleted like a key, within what the asking caller may see', async () => {
    const oid = await registered(['reader'], ['ORG21']);
    const id = `entra:${entra.tenantId}:${oid}`;
    const admin = await broker.createKey(['ORG21'], ['admin']);
    const stranger = await broker.createKey(['ORG22'], ['admin']);
    const shown = await broker.call('GET', '/api/oauth/callers?limit=100', { key: admin, org: null });
    expect(shown.json.callers.map((caller: { id: string }) => caller.id)).toContain(id);
    expect((await broker.call('GET', '/api/oauth/callers', { key: stranger, org: null })).text).not.toContain(oid);
    const remove = (key: string, which = id) =>
      broker.call('DELETE', `/api/oauth/callers/${which}`, { key, org: null });
    expect((await remove(stranger)).status).toBe(404);
    expect((await remove(admin, `entra:${newObjectId()}:${oid}`)).status).toBe(404);
    expect((await withToken(broker, tokenOf(oid))).status).toBe(200);
    expect((await remove(admin)).status).toBe(204);
    expect((await remove(admin)).status).toBe(404);
  });
});

describe('where the deployment takes the tenant for the organisation', () => {
  it('a principal that nobody registered acts for its tenant, in all its app roles, and for nothing else', async () => {
    const token = tokenOf(newObjectId(), ['Bowline.Auditor', 'Bowline.Admin']);
    expect((await withToken(byTenant, token)).json).toMatchObject({
      org_ids: [entra.tenantId],
      roles: ['auditor', 'admin'],
      expires_at: null,
    });
    for (const org of ['ORG1', 'GLOBAL', '*']) {
      expect((await withToken(byTenant, token, '/api/oauth/connections', { org })).status).toBe(403);
    }
    expect((await withToken(byTenant, token, '/api/oauth/connections')).status).toBe(200);
    expect(await withToken(byTenant, tokenOf(newObjectId(), []), '/api/oauth/connections')).toMatchObject({
      json: { error: 'role_required' },
    });
  });

  it('a registration binds a principal all the same, within a minute', async () => {
    const object_id = newObjectId();
    expect((await withToken(byTenant, tokenOf(object_id))).json.org_ids).toEqual([entra.tenantId]);
    await register(broker, entra, { object_id, roles: ['reader'] });
    broker.clock.advance(60_000);
    expect((await withToken(byTenant, tokenOf(object_id))).json).toMatchObject({
      org_ids: ['ORG1'],
      roles: ['reader'],
    });
  });
});

describe('a caller who is known and not let in', () => {
  const limited = async () => startTestBroker({ settings: { ...entra.settings, RATE_LIMIT_PER_MINUTE: '2' } });
  const actors = async (of: TestBroker) => {
    const { json } = await of.call('GET', '/api/oauth/audit?unknown_org=true', { org: null });
    return json.records.map(({ outcome, actor }: { outcome: string; actor: { id: string } }) => [outcome, actor.id]);
  };

  it('as a principal that nobody registered counts as a failure, and the audit log names it', async () => {
    const own = await limited();
    try {
      const oid = newObjectId();
      const id = `entra:${entra.tenantId}:${oid}`;
      const statuses = [];
      for (let call = 0; call < 3; call += 1) statuses.push((await withToken(own, tokenOf(oid))).status);
      expect(statuses).toEqual([403, 403, 429]);
      expect(await actors(own)).toEqual(
        expect.arrayContaining([
          ['organization_forbidden', id],
          ['rate_limited', id],
        ]),
      );
    } finally {
      await own.stop();
    }
  });

  it('as an API key or a registration that has expired is named in the audit log of its organisation', async () => {
    const own = await startTestBroker({ settings: entra.settings });
    try {
      const object_id = newObjectId();
      const expires_at = new Date(own.clock.now() + 5000).toISOString();
      const body = { name: 'brief', org_ids: ['ORG1'], roles: ['reader'], expires_at };
      const { id, api_key: key } = (await own.call('POST', '/api/oauth/callers', { body })).json;
      await register(own, entra, { object_id, expires_at });
      own.clock.advance(6000);
      expect((await own.call('GET', '/api/oauth/me', { key, org: null })).status).toBe(401);
      expect((await withToken(own, tokenOf(object_id))).status).toBe(401);
      const { json } = await own.call('GET', '/api/oauth/audit', { org: 'ORG1' });
      const refused = json.records.filter(({ outcome }: { outcome: string }) => outcome === 'unauthenticated');
      expect(refused.map(({ actor }: { actor: { id: string } }) => actor.id).sort()).toEqual(
        [id, `entra:${entra.tenantId}:${object_id}`].sort(),
      );
    } finally {
      await own.stop();
    }
  });
});
