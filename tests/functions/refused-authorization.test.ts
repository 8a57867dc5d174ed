import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCatalogue } from '../../src/providers/create-catalogue.ts';
import { defineProvider } from '../../src/providers/define-provider.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { begin, connect, createConnection, credentialsOf, land, signIn } from './support/authorizing.ts';
import { type Endpoint, startEndpoint } from './support/endpoint.ts';

let broker: TestBroker;
let provider: Endpoint;
beforeAll(async () => {
  provider = await startEndpoint();
  const endpoints = { authorization: '', token: '', userinfo: '', issuer: '' };
  const entry = (id: string, reach: 'token' | 'account', isShared = false) =>
    defineProvider({
      id,
      name: id,
      tier: 'listed',
      flows: ['authorization_code'],
      clientAuth: ['client_secret_basic'],
      rotation: 'none',
      endpoints: { ...endpoints, revocation: `${provider.url}/${id}` },
      revocation: { reach, isShared },
    });
  const entries = () => [entry('by-token', 'token'), entry('by-account', 'account'), entry('shared', 'token', true)];
  const known = createCatalogue([]);
  broker = await startTestBroker({
    providers: { list: known.list, get: (wanted) => entries().find(({ id }) => id === wanted) },
  });
  const { authorization, token, userinfo } = broker.server.endpoints;
  Object.assign(endpoints, { authorization, token, userinfo, issuer: broker.server.issuer });
});
afterAll(() => Promise.all([broker.stop(), provider.stop()]));

const asked = (id: string) => provider.requests.filter((request) => request.startsWith(`/${id} `)).length;
const place = (id: string) => ({
  provider: id,
  authorization_url: undefined,
  token_url: undefined,
  issuer: undefined,
  userinfo_url: undefined,
  revocation_url: undefined,
});

describe.each([
  ['by-token', true],
  ['by-account', false],
  ['shared', false],
])('the tokens of a refused authorization at a provider that revokes %s', (id, isRevoked) => {
  it(`are ${isRevoked ? '' : 'not '}revoked: the account has other grants`, async () => {
    for (const [name, login] of [
      [`${id}-one`, 'alice'],
      [`${id}-two`, 'bob'],
    ] as const) {
      await createConnection(broker, name, place(id));
      await connect(broker, name, { login });
    }
    const started = await begin(broker, `${id}-one`);
    const page = await land(await signIn(started, { login: 'bob' }));
    expect(page.html).toContain('account_changed');
    expect(asked(id) > 0).toBe(isRevoked);
    expect((await credentialsOf(broker, `${id}-two`)).status).toBe(200);
  });

  it(`are ${isRevoked ? '' : 'not '}revoked where it was cancelled while its code was redeemed`, async () => {
    const name = `${id}-one`;
    const started = await begin(broker, name);
    const redirect = await signIn(started, { login: 'alice' });
    const before = asked(id);
    const held = broker.server.tokens.holdNext();
    const landing = land(redirect);
    await held.waiting();
    expect((await broker.call('POST', `/api/oauth/connections/${name}/cancel`, { body: {} })).status).toBe(200);
    held.release();
    expect((await landing).status).toBe(400);
    expect(asked(id) > before).toBe(isRevoked);
    expect((await credentialsOf(broker, name)).status).toBe(200);
  });
});

describe('disconnecting at a provider that revokes by account', () => {
  it('revokes without being asked to, as the person wants the grant to end', async () => {
    const before = asked('by-account');
    const answer = await broker.call('POST', '/api/oauth/connections/by-account-two/disconnect', { body: {} });
    expect(answer.json.revoked).toBe(true);
    expect(asked('by-account')).toBeGreaterThan(before);
  });
});
