import { generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Secret } from '../../../src/domain/secret.ts';
import { clientWith, now, providerAnswering } from './clients.ts';

const issuer = 'https://provider.example';
/** OpenID Connect Core appendix A.3: an access token and its at_hash under RS256. */
const accessToken = 'jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y';
const atHash = '77QmUPtjPfzWtF2AnpK9RQ';

const good: JWTPayload = {
  iss: issuer,
  aud: 'app',
  sub: 'alice',
  nonce: 'the-nonce',
  iat: now / 1000,
  exp: now / 1000 + 60,
};

const keys = { RS256: await generateKeyPair('RS256'), ES256: await generateKeyPair('ES256') };

const hmacSigned = await new SignJWT(good).setProtectedHeader({ alg: 'HS256' }).sign(new Uint8Array(32));

beforeAll(() => void vi.useFakeTimers({ now, toFake: ['Date'] }));
afterAll(() => void vi.useRealTimers());

async function redeemWith(idToken: string, issuerKnown = true): Promise<unknown> {
  const { server } = providerAnswering(() =>
    Response.json({ access_token: accessToken, token_type: 'Bearer', id_token: idToken }),
  );
  const redemption = {
    parameters: new URLSearchParams({ code: 'c', state: 's' }),
    state: new Secret('s'),
    redirectUri: 'https://broker.example/callback',
    codeVerifier: new Secret('v'.repeat(64)),
    nonce: new Secret('the-nonce'),
  };
  const client = clientWith({ endpoints: { issuer: issuerKnown ? issuer : null } });
  return server.redeemCode(client, redemption).catch((error: unknown) => error);
}

function signed(claims: JWTPayload, alg: 'RS256' | 'ES256' = 'RS256'): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg }).sign(keys[alg].privateKey);
}

describe('an ID token (S-32)', () => {
  test.each([
    ['with all that it needs', good, 'RS256'],
    ['signed with ES256', good, 'ES256'],
    ['with a right at_hash', { ...good, at_hash: atHash }, 'RS256'],
    ['for several audiences, issued to us', { ...good, aud: ['app', 'other'], azp: 'app' }, 'RS256'],
    ['of a provider whose clock is four minutes behind', { ...good, exp: now / 1000 - 240 }, 'RS256'],
  ] as const)('%s names the account', async (_title, claims, alg) => {
    expect(await redeemWith(await signed(claims as JWTPayload, alg))).toMatchObject({
      tokens: { account: 'alice' },
    });
  });

  test.each([
    ['of another issuer', { ...good, iss: 'https://evil.example' }, '"iss"'],
    ['of the issuer with a slash', { ...good, iss: `${issuer}/` }, '"iss"'],
    ['for another client', { ...good, aud: 'other' }, '"aud"'],
    ['for several audiences, issued to another', { ...good, aud: ['app', 'other'], azp: 'other' }, '"azp"'],
    ['that lapsed ten minutes ago', { ...good, exp: now / 1000 - 600 }, '"exp"'],
    ['with another nonce', { ...good, nonce: 'other' }, '"nonce"'],
    ['without a nonce', { ...good, nonce: undefined }, '"nonce"'],
    ['without an account', { ...good, sub: undefined }, '"sub"'],
    ['without an end', { ...good, exp: undefined }, '"exp"'],
    ['with another at_hash', { ...good, at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' }, 'at_hash'],
    ['with an empty at_hash', { ...good, at_hash: '' }, 'at_hash'],
  ])('%s is rejected', async (_title, claims, why) => {
    const idToken = await signed(claims as JWTPayload);
    const failure = await redeemWith(idToken);
    expect(failure).toMatchObject({
      code: 'callback_rejected',
      message:
        "The provider's ID token is not valid for this connection. Check issuer and client_id, and authorize again.",
      extra: { status_reason: 'authorization_failed' },
      detail: expect.stringContaining(why),
    });
    expect(failure).not.toHaveProperty('cause');
    expect(JSON.stringify(failure)).not.toContain(idToken.split('.')[1]);
  });

  test.each([
    ['unsigned', `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from('{}').toString('base64url')}.`],
    ['signed with HMAC', hmacSigned],
    ['encrypted', 'a.b.c.d.e'],
    ['broken', 'x.y.z'],
  ])('that is %s is rejected', async (_title, idToken) => {
    expect(await redeemWith(idToken)).toMatchObject({ code: 'callback_rejected' });
  });

  test('says nothing where the issuer is not known', async () => {
    const idToken = await signed({ ...good, iss: 'https://evil.example' });
    expect(await redeemWith(idToken, false)).toMatchObject({ tokens: { account: null, metadata: {} } });
  });

  test('is the only thing that names an account, and its absence is no failure', async () => {
    expect(await redeemWith('')).toMatchObject({ tokens: { account: null } });
  });
});
