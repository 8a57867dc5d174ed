import { TableClient } from '@azure/data-tables';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { accessToken, create, rowsOf, signIn } from '../support/connections.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { credentialsOf } from './support/authorizing.ts';
import { type Endpoint, startEndpoint } from './support/endpoint.ts';
import { createMinting, tokenAnswer } from './support/granted.ts';

let broker: TestBroker;
let endpoint: Endpoint;
beforeAll(async () => {
  [broker, endpoint] = await Promise.all([startTestBroker(), startEndpoint()]);
});
afterAll(() => Promise.all([broker.stop(), endpoint.stop()]));

const remove = (name: string, query = '', org = 'ORG1') =>
  broker.call('DELETE', `/api/oauth/connections/${name}${query}`, { org });

/** Gives a user tokens that nobody else has. */
async function importFor(name: string, userId: string, org = 'ORG1') {
  const { access_token, refresh_token } = tokenAnswer();
  const body = { access_token, refresh_token, expires_at: '2036-01-01T00:00:00Z', user_id: userId };
  const imported = await broker.call('POST', `/api/oauth/connections/${name}/tokens`, { org, body });
  expect(imported.status, imported.text).toBe(200);
  return [access_token, refresh_token];
}

const received = (path: string) => endpoint.requests.filter((request) => request.startsWith(path)).join('\n');

describe('deleting a connection and revoking its users’ tokens', () => {
  it('revokes them where they were issued', async () => {
    await create(broker, 'stays', { changes: { revocation_url: `${endpoint.url}/stays` } });
    const tokens = await importFor('stays', 'victim');
    expect((await remove('stays')).status).toBe(200);
    expect(tokens.some((token) => received('/stays').includes(token))).toBe(true);
  });

  it.each<[string, (url: string) => Record<string, unknown>]>([
    ['revocation_url', (url) => ({ revocation_url: url })],
    ['revocation_url and token_url', (url) => ({ revocation_url: url, token_url: url })],
  ])('sends none of them to a server that a change of %s named since', async (what, change) => {
    const name = `moves-${what.replace(/\W/g, '-')}`;
    await create(broker, name);
    const tokens = await importFor(name, 'victim');
    const body = { ...change(`${endpoint.url}/${name}`), client_secret: 'of-somebody-else' };
    const changed = await broker.call('PUT', `/api/oauth/connections/${name}`, { body });
    expect(changed.status, changed.text).toBe(200);
    expect((await remove(name)).status).toBe(200);
    for (const token of tokens) expect(endpoint.requests.join('\n')).not.toContain(token);
    expect(await rowsOf(broker, 'OAuthUserGrants')).toEqual([]);
  });
});

describe('deleting a GLOBAL connection', () => {
  it('erases and revokes the tokens of the users of every organisation', async () => {
    await create(broker, 'everywhere', { org: 'GLOBAL' });
    const tokens: string[] = [];
    for (const [org, userId] of [['ORG1', 'ann'] as const, ['ORG2', 'ann'] as const, ['ORG2', 'bob'] as const]) {
      await signIn(broker, 'everywhere', { org, userId, login: `${org}-${userId}` });
      tokens.push(await accessToken(broker, 'everywhere', { org, userId }));
    }
    expect(await rowsOf(broker, 'OAuthUserGrants')).toHaveLength(3);
    expect((await remove('everywhere', '', 'GLOBAL')).status).toBe(200);
    expect(await rowsOf(broker, 'OAuthUserGrants')).toEqual([]);
    for (const token of tokens) expect(await broker.server.isActive(token)).toBe(false);
  });

  it('erases them without revoking where revoke=false says so', async () => {
    await create(broker, 'let-live', { org: 'GLOBAL' });
    await signIn(broker, 'let-live', { org: 'ORG2', userId: 'ann' });
    const token = await accessToken(broker, 'let-live', { org: 'ORG2', userId: 'ann' });
    expect((await remove('let-live', '?revoke=false', 'GLOBAL')).status).toBe(200);
    expect(await rowsOf(broker, 'OAuthUserGrants')).toEqual([]);
    expect(await broker.server.isActive(token)).toBe(true);
  });

  it('leaves the users of an organisation’s own connection of that name, and of other GLOBAL ones, alone', async () => {
    for (const [name, org] of [['name', 'GLOBAL'] as const, ['name', 'ORG1'] as const, ['other', 'GLOBAL'] as const]) {
      await create(broker, name, { org });
    }
    await importFor('name', 'ann', 'ORG1');
    const [ofGlobal] = await importFor('name', 'ann', 'ORG2');
    await importFor('other', 'ann', 'ORG2');
    expect((await credentialsOf(broker, 'name', '?user_id=ann', { org: 'ORG2' })).json.access_token).toBe(ofGlobal);
    await remove('name', '', 'GLOBAL');
    expect((await credentialsOf(broker, 'name', '?user_id=ann')).status).toBe(200);
    expect((await credentialsOf(broker, 'other', '?user_id=ann', { org: 'ORG2' })).status).toBe(200);
    expect((await credentialsOf(broker, 'name', '?user_id=ann', { org: 'ORG2' })).status).toBe(404);
  });
});

describe('deleting a GLOBAL connection at which a workflow is noted', () => {
  const headers = { 'x-workflow-id': 'w-own' };
  const rawWorkflows = () =>
    TableClient.fromConnectionString(inject('azuriteConnectionString'), `${broker.prefix}OAuthWorkflows`, {
      allowInsecureConnection: true,
    });

  /** What a crash leaves behind: GLOBAL's connection still names the workflow. */
  async function noteAtGlobal(connection: string, workflow: string): Promise<void> {
    await rawWorkflows().createEntity({
      partitionKey: `c|GLOBAL|${connection}`,
      rowKey: `ORG1|${workflow}`,
      kind: 'dependency',
      org: 'ORG1',
      workflow_id: workflow,
      workflow_name: '',
      connection_org: 'GLOBAL',
      connection,
      last_accessed_at: { type: 'Int64', value: '-1' },
    });
  }

  it('does not disable one that uses its organisation’s own connection of the name', async () => {
    await createMinting(broker, 'shadowed', {}, { org: 'GLOBAL' });
    await createMinting(broker, 'shadowed');
    expect((await credentialsOf(broker, 'shadowed', '', { headers })).status).toBe(200);
    await noteAtGlobal('shadowed', 'w-own');
    const removed = await remove('shadowed', '?confirm_disable_workflows=true', 'GLOBAL');
    expect(removed).toMatchObject({ status: 200, json: { disabled_workflows: [] } });
    expect((await credentialsOf(broker, 'shadowed', '', { headers })).status).toBe(200);
  });

  it('is not held up by it either', async () => {
    await createMinting(broker, 'shadowed-2', {}, { org: 'GLOBAL' });
    await createMinting(broker, 'shadowed-2');
    await credentialsOf(broker, 'shadowed-2', '', { headers });
    await noteAtGlobal('shadowed-2', 'w-own');
    await noteAtGlobal('shadowed-2', 'w-without-any-dependency');
    expect((await remove('shadowed-2', '', 'GLOBAL')).status).toBe(200);
  });

  it('disables one that does use it', async () => {
    await createMinting(broker, 'used', {}, { org: 'GLOBAL' });
    const own = { headers: { 'x-workflow-id': 'w-of-global' } };
    expect((await credentialsOf(broker, 'used', '', own)).status).toBe(200);
    expect((await remove('used', '', 'GLOBAL')).json.error).toBe('workflows_depend');
    const removed = await remove('used', '?confirm_disable_workflows=true', 'GLOBAL');
    expect(removed.json.disabled_workflows).toEqual(['w-of-global']);
  });
});
