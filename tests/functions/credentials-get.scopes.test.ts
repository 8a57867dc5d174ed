import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { create, signIn } from '../support/connections.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { credentialsOf, detailOf } from './support/authorizing.ts';
import { answerNext, createGranted } from './support/granted.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
});
afterAll(() => broker.stop());

describe('GET /oauth/credentials/{connection_name}?required_scopes=', () => {
  it.each(['read', 'read write', 'write,read', 'read%20,%20write', ''])(
    '200 where “%s” was granted',
    async (wanted) => {
      const name = `granted-${wanted.replace(/\W+/g, '-')}`;
      await createGranted(broker, name, { scope: 'read write admin' });
      expect((await credentialsOf(broker, name, `?required_scopes=${wanted}`)).status).toBe(200);
    },
  );

  it('503 scopes_missing names those that the provider did not grant, and gives no token', async () => {
    await createGranted(broker, 'narrow', { scope: 'read' }, {}, { scopes: 'read,write,admin' });
    const answer = await credentialsOf(broker, 'narrow', '?required_scopes=admin,read%20write');
    expect(answer).toMatchObject({
      status: 503,
      json: {
        error: 'scopes_missing',
        message: expect.stringContaining('admin, write'),
        missing_scopes: ['admin', 'write'],
      },
    });
    expect(answer.json).not.toHaveProperty('access_token');
  });

  it('takes what was asked for as granted where the provider said nothing', async () => {
    await createGranted(broker, 'silent', {}, {}, { scopes: 'read write' });
    expect((await credentialsOf(broker, 'silent', '?required_scopes=write')).status).toBe(200);
    expect((await credentialsOf(broker, 'silent', '?required_scopes=admin')).json).toMatchObject({
      error: 'scopes_missing',
      missing_scopes: ['admin'],
    });
  });

  it('judges by the latest answer: a refresh that grants less is noticed', async () => {
    await createGranted(broker, 'shrinking', { scope: 'read write' }, {}, { scopes: 'read write' });
    expect((await detailOf(broker, 'shrinking')).json.missing_scopes).toEqual([]);
    answerNext(broker, { scope: 'read' });
    await broker.call('POST', '/api/oauth/connections/shrinking/refresh', { body: {} });
    expect((await detailOf(broker, 'shrinking')).json).toMatchObject({
      granted_scopes: 'read',
      missing_scopes: ['write'],
    });
    expect((await credentialsOf(broker, 'shrinking', '?required_scopes=write')).json.error).toBe('scopes_missing');
  });

  it('shows what a user has not granted in the list of grants', async () => {
    await create(broker, 'users');
    await signIn(broker, 'users', { userId: 'ann' });
    const { json } = await broker.call('GET', '/api/oauth/connections/users/grants');
    expect(json.grants).toMatchObject([{ user_id: 'ann', missing_scopes: [] }]);
  });

  it('400 validation_failed for more than 4096 characters', async () => {
    expect(await credentialsOf(broker, 'silent', `?required_scopes=${'x'.repeat(4097)}`)).toMatchObject({
      status: 400,
      json: { details: [{ path: 'required_scopes' }] },
    });
  });
});
