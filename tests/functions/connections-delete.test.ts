import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  accessToken,
  connect,
  create,
  detail,
  everythingKept,
  issuedTokens,
  rowOf,
  rowsOf,
  secretInVault,
  serviceBody,
  signIn,
} from '../support/connections.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';

let broker: TestBroker;
let issued: ReturnType<typeof issuedTokens>;
beforeAll(async () => {
  broker = await startTestBroker();
  issued = issuedTokens(broker);
});
afterEach(() => {
  broker.vault.faults.clear();
  broker.server.tokens.reset();
});
afterAll(() => broker.stop());

const path = '/api/oauth/connections';
interface Options {
  readonly org?: string | null;
  readonly key?: string | null;
}
const remove = (name: string, query = '', options: Options = {}) =>
  broker.call('DELETE', `${path}/${name}${query}`, options);
const credentials = (name: string, options: { org?: string; workflow?: string } = {}) =>
  broker.call('GET', `/api/oauth/credentials/${name}`, {
    org: options.org ?? 'ORG1',
    headers: options.workflow === undefined ? {} : { 'x-workflow-id': options.workflow },
  });
const dependOn = (name: string, workflow: string, org = 'ORG1') =>
  broker.call('POST', `/api/oauth/workflows/${workflow}/dependencies`, {
    org,
    body: { connection_name: name, workflow_name: `Workflow ${workflow}` },
  });

describe('DELETE /oauth/connections/{connection_name}: 200', () => {
  it('deletes the row and the secret, and revokes the tokens at the provider', async () => {
    await connect(broker, 'gone');
    const token = await accessToken(broker, 'gone');
    const refreshToken = issued.at(-1)?.refresh_token ?? 'none';
    const reference = (await rowOf(broker, 'gone'))?.client_secret_ref;
    const deleted = await remove('gone');
    expect(deleted).toMatchObject({ status: 200, json: { disabled_workflows: [], revoked: true } });
    expect(deleted.json.message).toContain('gone');
    expect(await broker.server.isActive(token)).toBe(false);
    expect(await broker.server.isActive(refreshToken)).toBe(false);
    expect(await rowOf(broker, 'gone')).toBeUndefined();
    expect(await secretInVault(broker, reference)).toBe(404);
    expect(await credentials('gone')).toMatchObject({ status: 404, json: { error: 'connection_not_found' } });
  });

  it('leaves the tokens alive at the provider with revoke=false', async () => {
    await connect(broker, 'let-live');
    const token = await accessToken(broker, 'let-live');
    expect(await remove('let-live', '?revoke=false')).toMatchObject({ status: 200, json: { revoked: false } });
    expect(await broker.server.isActive(token)).toBe(true);
    expect((await credentials('let-live')).status).toBe(404);
  });

  it('says revoked: false where the provider has nothing to revoke with, or nothing was there', async () => {
    await connect(broker, 'no-endpoint', { changes: { revocation_url: null } });
    await create(broker, 'no-tokens');
    expect((await remove('no-endpoint')).json.revoked).toBe(false);
    expect((await remove('no-tokens')).json.revoked).toBe(false);
  });

  it('deletes all the same when the provider does not revoke', async () => {
    await connect(broker, 'stubborn', { changes: { revocation_url: `${broker.server.issuer}/nowhere` } });
    expect(await remove('stubborn')).toMatchObject({ status: 200, json: { revoked: false } });
    expect(await rowOf(broker, 'stubborn')).toBeUndefined();
  });

  it('deletes all the same when the vault is down', async () => {
    await connect(broker, 'vault-down');
    broker.vault.faults.outage();
    expect((await remove('vault-down')).status).toBe(200);
    expect(await rowOf(broker, 'vault-down')).toBeUndefined();
  });

  it('removes and revokes users’ grants, all of them', async () => {
    await create(broker, 'of-users');
    const tokens: string[] = [];
    for (const userId of ['u1', 'u2', 'ü 3/|%']) {
      await signIn(broker, 'of-users', { userId, login: userId.slice(0, 2) });
      tokens.push(await accessToken(broker, 'of-users', { userId }));
    }
    const grantsOf = async () =>
      (await rowsOf(broker, 'OAuthUserGrants')).filter(({ partitionKey }) => partitionKey === 'ORG1|of-users');
    expect(await grantsOf()).toHaveLength(3);
    expect((await remove('of-users')).status).toBe(200);
    expect(await grantsOf()).toEqual([]);
    expect(await Promise.all(tokens.map((token) => broker.server.isActive(token)))).toEqual([false, false, false]);
  });

  it('frees the name: one created anew starts empty, with a secret of its own (S-66)', async () => {
    await connect(broker, 'again');
    await signIn(broker, 'again', { userId: 'u1' });
    const reference = (await rowOf(broker, 'again'))?.client_secret_ref;
    await remove('again', '?revoke=false');
    await create(broker, 'again');
    expect(await detail(broker, 'again')).toMatchObject({
      status: 'not_connected',
      has_refresh_token: false,
      granted_scopes: null,
    });
    expect((await rowOf(broker, 'again'))?.client_secret_ref).not.toBe(reference);
    expect((await credentials('again')).json.error).toBe('connection_not_ready');
    const asUser = await broker.call('GET', '/api/oauth/credentials/again?user_id=u1');
    expect(asUser.json.error).toBe('connection_not_ready');
    await signIn(broker, 'again');
    expect(await broker.server.isActive(await accessToken(broker, 'again'))).toBe(true);
  });

  it('lets one of two at once find nothing', async () => {
    await create(broker, 'twice');
    const both = await Promise.all([remove('twice'), remove('twice')]);
    expect(both.map(({ status }) => status).toSorted()[0]).toBe(200);
    expect((await remove('twice')).status).toBe(404);
  });

  it('leaves the same name in other organisations, and the secret there, alone', async () => {
    await create(broker, 'twin', { org: 'ORG2' });
    await create(broker, 'twin');
    await remove('twin');
    const theirs = await rowOf(broker, 'twin', 'ORG2');
    expect(await secretInVault(broker, theirs?.client_secret_ref)).toBe(200);
  });
});

describe('DELETE /oauth/connections/{connection_name}: while something is under way', () => {
  it('stays deleted when a refresh comes home, whose tokens are revoked', async () => {
    await connect(broker, 'in-flight');
    const held = broker.server.tokens.holdNext({ at: 'answer' });
    const refresh = broker.call('POST', `${path}/in-flight/refresh`, { body: {} });
    await held.waiting();
    expect((await remove('in-flight', '?revoke=false')).status).toBe(200);
    held.release();
    expect(await refresh).toMatchObject({ status: 404, json: { error: 'connection_not_found' } });
    expect(await rowOf(broker, 'in-flight')).toBeUndefined();
    expect(await broker.server.isActive(issued.at(-1)?.access_token ?? 'none')).toBe(false);
  });

  it('keeps what an old refresh brings home out of a connection of the same name', async () => {
    await connect(broker, 'reborn');
    const held = broker.server.tokens.holdNext({ at: 'answer' });
    const refresh = broker.call('POST', `${path}/reborn/refresh`, { body: {} });
    await held.waiting();
    await remove('reborn', '?revoke=false');
    await create(broker, 'reborn');
    held.release();
    expect((await refresh).status).not.toBe(500);
    expect(await detail(broker, 'reborn')).toMatchObject({ status: 'not_connected', has_refresh_token: false });
    expect((await credentials('reborn')).json.error).toBe('connection_not_ready');
  });
});

describe('DELETE /oauth/connections/{connection_name}: 400 workflows_depend', () => {
  it('names the workflows that use it, and deletes nothing', async () => {
    await connect(broker, 'needed');
    await dependOn('needed', 'wf-1');
    await credentials('needed', { workflow: 'wf-2' });
    const token = await accessToken(broker, 'needed');
    const before = await everythingKept(broker);
    const refused = await remove('needed');
    expect(refused).toMatchObject({ status: 400, json: { error: 'workflows_depend' } });
    const dependents = refused.json.dependent_workflows;
    expect(dependents).toHaveLength(2);
    expect(dependents).toContainEqual({
      workflow_id: 'wf-1',
      workflow_name: 'Workflow wf-1',
      org_id: 'ORG1',
      last_accessed_at: null,
    });
    expect(dependents).toContainEqual({
      workflow_id: 'wf-2',
      workflow_name: null,
      org_id: 'ORG1',
      last_accessed_at: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(await everythingKept(broker)).toEqual(before);
    expect(await broker.server.isActive(token)).toBe(true);
  });

  it('with confirm_disable_workflows=true deletes, and switches those workflows off', async () => {
    await connect(broker, 'confirmed');
    await connect(broker, 'bystander');
    await dependOn('confirmed', 'wf-3');
    await dependOn('confirmed', 'wf-4');
    await dependOn('bystander', 'wf-5');
    const deleted = await remove('confirmed', '?confirm_disable_workflows=true');
    expect(deleted).toMatchObject({ status: 200, json: { revoked: true } });
    expect(deleted.json.disabled_workflows.toSorted()).toEqual(['wf-3', 'wf-4']);
    expect(await credentials('bystander', { workflow: 'wf-3' })).toMatchObject({
      status: 403,
      json: { error: 'workflow_disabled' },
    });
    expect((await credentials('bystander', { workflow: 'wf-5' })).status).toBe(200);
    const { workflows } = (await broker.call('GET', '/api/oauth/workflows/disabled')).json;
    expect(workflows).toContainEqual({
      workflow_id: 'wf-3',
      org_id: 'ORG1',
      disabled_reason: expect.stringContaining('confirmed'),
      disabled_at: expect.stringMatching(/Z$/),
      disabled_by: 'bootstrap',
      related_oauth_connection: 'confirmed',
    });
  });

  it('with confirm_disable_workflows=true deletes one that no workflow uses, too', async () => {
    await create(broker, 'unused');
    expect(await remove('unused', '?confirm_disable_workflows=true')).toMatchObject({
      status: 200,
      json: { disabled_workflows: [] },
    });
  });

  it('names the workflows of every organisation that a GLOBAL connection is used in', async () => {
    await broker.call('POST', path, { org: 'GLOBAL', body: serviceBody(broker, 'global-used') });
    await dependOn('global-used', 'wf-a', 'ORG1');
    await dependOn('global-used', 'wf-a', 'ORG2');
    const refused = await remove('global-used', '', { org: 'GLOBAL' });
    const orgs = refused.json.dependent_workflows.map(({ org_id }: { org_id: string }) => org_id);
    expect(orgs.toSorted()).toEqual(['ORG1', 'ORG2']);
    const deleted = await remove('global-used', '?confirm_disable_workflows=true', { org: 'GLOBAL' });
    expect(deleted.json.disabled_workflows).toEqual(['wf-a']);
    await connect(broker, 'of-org2', { org: 'ORG2' });
    expect((await credentials('of-org2', { org: 'ORG2', workflow: 'wf-a' })).json.error).toBe('workflow_disabled');
  });
});

describe('DELETE /oauth/connections/{connection_name}: refused', () => {
  it.each(['?revoke=maybe', '?confirm_disable_workflows=1', '?force=true'])('400 for %s', async (query) => {
    await create(broker, `query-${query.length}`);
    const refused = await remove(`query-${query.length}`, query);
    expect(refused).toMatchObject({ status: 400, json: { error: 'validation_failed' } });
    expect(await rowOf(broker, `query-${query.length}`)).toBeDefined();
  });

  it('404 connection_not_found for one that is not there', async () => {
    expect(await remove('nowhere')).toMatchObject({ status: 404, json: { error: 'connection_not_found' } });
  });

  it('404 for another organisation’s, which hides that it exists', async () => {
    await create(broker, 'theirs', { org: 'ORG2' });
    const refused = await remove('theirs', '', { key: await broker.createKey(['ORG1'], ['admin']) });
    expect(refused).toMatchObject({ status: 404, json: { error: 'connection_not_found' } });
    expect(await rowOf(broker, 'theirs', 'ORG2')).toBeDefined();
  });

  it('403 organization_forbidden for a GLOBAL one by way of another organisation', async () => {
    await broker.call('POST', path, { org: 'GLOBAL', body: serviceBody(broker, 'global-kept') });
    const refused = await remove('global-kept', '', { key: await broker.createKey(['ORG1'], ['admin']) });
    expect(refused).toMatchObject({ status: 403, json: { error: 'organization_forbidden' } });
    expect(await rowOf(broker, 'global-kept', 'GLOBAL')).toBeDefined();
  });

  it.each(['operator', 'reader', 'auditor'] as const)('403 role_required for the role %s alone', async (role) => {
    await create(broker, `as-${role}`);
    const refused = await remove(`as-${role}`, '', { key: await broker.createKey(['ORG1'], [role]) });
    expect(refused).toMatchObject({ status: 403, json: { error: 'role_required' } });
    expect(await rowOf(broker, `as-${role}`)).toBeDefined();
  });
});
