import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { routeTable } from '../../src/functions/route-table.ts';
import { bodyOf } from '../functions/support/every-route.ts';
import { create, detailFields, everythingKept, summaryFields } from '../support/connections.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
  await create(broker, 'crm');
  const tokens = { access_token: 'at-canary', refresh_token: 'rt-canary' };
  for (const user_id of [null, 'alice']) {
    await broker.call('POST', '/api/oauth/connections/crm/tokens', { body: { ...tokens, user_id } });
  }
});
afterAll(() => broker.stop());

/** Names that rows, other services and JavaScript itself use, and that no body of the API has. */
const foreignFields: Readonly<Record<string, unknown>> = {
  organizationId: 'ORG2',
  org_id: 'ORG2',
  org: 'ORG2',
  partitionKey: 'ORG2',
  PartitionKey: 'ORG2',
  rowKey: 'other',
  RowKey: 'other',
  etag: '*',
  status: 'completed',
  status_reason: null,
  accessToken: 'at-forged',
  access_token_sealed: 'at-forged',
  refreshToken: 'rt-forged',
  expiresAt: 1,
  due_at: 1,
  seq: 99,
  generation: 'x',
  leaseUntil: 1,
  lease_owner: 'x',
  endpoints_id: 'x',
  secret_reference: 'bowline-of-somebody-else',
  has_client_secret: true,
  created_by: 'somebody-else',
  createdBy: 'somebody-else',
  created_at: '2020-01-01T00:00:00.000Z',
  id: 'x',
  key_id: 'x',
  secret_sha256: '0'.repeat(64),
  prototype: {},
};

/** What a route does take by that name: a filter, and what an export says of itself. */
const taken: Readonly<Record<string, readonly string[]>> = { revoke: ['created_by'], import: ['org_id'] };

const withBody = routeTable.filter(({ request }) => request?.body !== undefined);

describe('S-09 a body with more than the route takes', () => {
  it.each(withBody.map((route) => [route.name, route] as const))(
    'is refused by %s, and nothing changes',
    async (name, route) => {
      const path = `/api${route.path.replace('{connection_name}', 'crm').replace('{workflow_id}', 'sync').replace('{id}', 'f'.repeat(32))}`;
      const body = name === 'connections-create' ? broker.connectionBody('forged') : bodyOf(route);
      const before = await everythingKept(broker);
      for (const [field, value] of Object.entries(foreignFields)) {
        if (taken[name]?.includes(field)) continue;
        const answer = await broker.call(route.method, path, { body: { ...(body as object), [field]: value } });
        expect(answer, `${field} ${answer.text}`).toMatchObject({ status: 400, json: { error: 'validation_failed' } });
        expect(
          answer.json.details.map((detail: { path: string }) => detail.path),
          field,
        ).toContain(field);
      }
      for (const field of ['__proto__', 'constructor']) {
        const text = `${JSON.stringify(body).slice(0, -1)}${JSON.stringify(body) === '{}' ? '' : ','}"${field}":{"roles":["admin"]}}`;
        const answer = await broker.call(route.method, path, { body: text });
        expect(answer, `${field} ${answer.text}`).toMatchObject({ status: 400, json: { error: 'validation_failed' } });
        expect(answer.text).toContain(field);
      }
      expect(await everythingKept(broker)).toEqual(before);
    },
  );

  it.each(
    routeTable.filter(({ request }) => request?.query !== undefined).map((route) => [route.name, route] as const),
  )('and a query with more is refused by %s', async (_name, route) => {
    const path = `/api${route.path.replace('{connection_name}', 'crm')}`;
    for (const field of ['org_id', 'partitionKey', 'constructor', 'prototype', '$filter', 'include_secrets']) {
      const answer = await broker.call(route.method, `${path}?${field}=x`, { body: bodyOf(route) });
      expect(answer, field).toMatchObject({ status: 400, json: { error: 'validation_failed' } });
    }
  });
});

describe('S-09 an answer', () => {
  it('shows the fields of the contract and no other', async () => {
    const detail = await broker.call('GET', '/api/oauth/connections/crm');
    expect(Object.keys(detail.json).toSorted()).toEqual(detailFields.toSorted());
    const list = await broker.call('GET', '/api/oauth/connections');
    expect(Object.keys(list.json.connections[0]).toSorted()).toEqual(summaryFields.toSorted());
  });

  it('holds a token nowhere but at the credentials, and there no refresh token', async () => {
    const secret = broker.server.clients.basic.clientSecret;
    for (const route of routeTable.filter(({ method }) => method === 'GET')) {
      const path = `/api${route.path.replace('{connection_name}', 'crm').replace('{workflow_id}', 'sync').replace('{token}', 'x')}`;
      const answer = await broker.call('GET', path);
      if (route.name === 'credentials-get') expect(answer.json.access_token).toBe('at-canary');
      else expect(answer.text, route.name).not.toContain('at-canary');
      expect(answer.text, route.name).not.toContain('rt-canary');
      expect(answer.text, route.name).not.toContain(secret);
    }
  });
});
