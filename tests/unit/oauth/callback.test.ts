import { describe, expect, test } from 'vitest';
import { Secret } from '../../../src/domain/secret.ts';
import { type ClientChanges, clientWith, providerAnswering } from './clients.ts';

const state = 'AAAABBBBCCCCDDDDEEEEFFFFGGGGHHHH';
const issuer = 'https://provider.example';

async function redeem(query: string, changes: ClientChanges = {}) {
  const { server, sent } = providerAnswering(() => Response.json({ access_token: 'at-1', token_type: 'Bearer' }));
  const outcome = await server
    .redeemCode(clientWith(changes), {
      parameters: new URLSearchParams(query),
      state: new Secret(state),
      redirectUri: 'https://broker.example/callback',
      codeVerifier: new Secret('v'.repeat(64)),
      nonce: new Secret('n'),
    })
    .catch((error: unknown) => error);
  return { outcome, sent };
}

const knowsIssuer: ClientChanges = { endpoints: { issuer } };
const notOurs = 'The callback does not belong to this authorization. Authorize again.';
const elsewhere = 'The callback comes from another authorization server than the connection names. Check issuer.';

const refused: readonly (readonly [title: string, query: string, message: string | RegExp, changes?: ClientChanges])[] =
  [
    ['no parameters', '', notOurs],
    ['no state', 'code=c', notOurs],
    ['an empty state', 'code=c&state=', notOurs],
    ['another state', `code=c&state=${state.replace('A', 'B')}`, notOurs],
    ['a longer state', `code=c&state=${state}A`, notOurs],
    ['a state in other letters', `code=c&state=${state.toLowerCase()}`, notOurs],
    ['an error with another state', 'error=access_denied&state=x', notOurs],
    ['state twice', `code=c&state=${state}&state=${state}`, /gives state more than once/],
    ['code twice', `code=c&code=d&state=${state}`, /gives code more than once/],
    ['iss twice', `code=c&state=${state}&iss=${issuer}&iss=${issuer}`, /gives iss more than once/],
    ['error twice', `error=a&error=b&state=${state}`, /gives error more than once/],
    ['error_description twice', `error=a&error_description=b&error_description=c&state=${state}`, /more than once/],
    ['no code', `state=${state}`, /holds no authorization code/],
    ['an empty code', `code=&state=${state}`, /holds no authorization code/],
    ['tokens instead of a code', `access_token=a&id_token=b&state=${state}`, /holds no authorization code/],
    ['another issuer', `code=c&state=${state}&iss=https://evil.example`, elsewhere, knowsIssuer],
    ['the issuer with a slash', `code=c&state=${state}&iss=${issuer}/`, elsewhere, knowsIssuer],
    ['the issuer in capitals', `code=c&state=${state}&iss=https://PROVIDER.example`, elsewhere, knowsIssuer],
    ['an empty issuer', `code=c&state=${state}&iss=`, elsewhere, knowsIssuer],
    [
      'an error of another issuer',
      `error=access_denied&state=${state}&iss=https://evil.example`,
      elsewhere,
      knowsIssuer,
    ],
  ];

describe('a callback is rejected and nothing is sent', () => {
  const cases = refused.map(([title, query, message, changes = {}]) => ({ title, query, message, changes }));

  test.each(cases)('$title', async ({ query, message, changes }) => {
    const { outcome, sent } = await redeem(query, changes);
    expect(outcome).toMatchObject({
      code: 'callback_rejected',
      message: expect.stringMatching(message),
      extra: undefined,
    });
    expect(sent).toEqual([]);
  });

  test.each([
    ['access_denied', 'access_denied'],
    ['user_cancelled_login', 'access_denied'],
    ['User_Denied', 'access_denied'],
    ['server_error', 'authorization_failed'],
    ['invalid_scope', 'authorization_failed'],
    ['interaction_required', 'authorization_failed'],
    ['constructor', 'authorization_failed'],
  ])('error %s means %s', async (error, reason) => {
    const { outcome, sent } = await redeem(`error=${error}&error_description=Because&state=${state}&code=c`);
    expect(outcome).toMatchObject({
      code: 'callback_rejected',
      extra: { status_reason: reason },
      detail: `${error}: Because`,
    });
    expect(sent).toEqual([]);
  });

  test("the provider's description is short and plain, and for the log only", async () => {
    const description = encodeURIComponent(`<script>\r\n${'x'.repeat(65_536)}`);
    const { outcome } = await redeem(`error=access_denied&error_description=${description}&state=${state}`);
    expect(outcome).toMatchObject({
      message: 'Access was denied at the provider. Authorize again, and allow the access that is asked for.',
      detail: expect.stringMatching(/^access_denied: <script> x+…$/),
    });
    expect((outcome as { detail: string }).detail).toHaveLength(200);
  });
});

describe('a callback is accepted', () => {
  test.each([
    ['with the exact issuer', `code=c&state=${state}&iss=${issuer}`, knowsIssuer],
    ['without an issuer, as no metadata promises one', `code=c&state=${state}`, knowsIssuer],
    ['with any issuer where none is known', `code=c&state=${state}&iss=https://other.example`, {}],
    ['with parameters of the provider, even twice', `code=c&state=${state}&scope=a&x=1&x=2&response=r&error=`, {}],
  ])('%s', async (_title, query, changes) => {
    const { outcome, sent } = await redeem(query, changes);
    expect(outcome).toMatchObject({ tokens: { account: null } });
    expect(Object.fromEntries(sent[0]?.form ?? [])).toEqual({
      grant_type: 'authorization_code',
      code: 'c',
      redirect_uri: 'https://broker.example/callback',
      code_verifier: 'v'.repeat(64),
      client_id: 'app',
      client_secret: 'client-secret',
    });
  });

  test('and a code that the provider refuses asks for another authorization', async () => {
    const { server } = providerAnswering(() =>
      Response.json({ error: 'invalid_grant', error_description: 'code the-code of v is used' }, { status: 400 }),
    );
    const redemption = {
      parameters: new URLSearchParams({ code: 'the-code', state }),
      state: new Secret(state),
      redirectUri: 'https://broker.example/callback',
      codeVerifier: new Secret('v'.repeat(64)),
      nonce: new Secret('n'),
    };
    await expect(server.redeemCode(clientWith(), redemption)).rejects.toMatchObject({
      code: 'needs_reauthorization',
      message: 'The provider did not accept the authorization (invalid_grant). Authorize again.',
      detail: 'status 400, invalid_grant: code [secret] of v is used',
    });
  });
});
