import { createHmac, type KeyObject, sign } from 'node:crypto';
import { get, type OutgoingHttpHeaders } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type EntraAuthority,
  encode,
  newSigningKey,
  signCompact,
  startEntraAuthority,
  type TokenChanges,
} from '../support/entra-authority.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { objectId, register, withToken } from './support/entra-calls.ts';

const otherTenant = '7e4a47aa-0000-4000-8000-000000000009';
const otherGuid = '7e4a47aa-0000-4000-8000-00000000000a';

let entra: EntraAuthority;
let broker: TestBroker;
beforeAll(async () => {
  entra = await startEntraAuthority({ now: () => broker.clock.now() });
  broker = await startTestBroker({ settings: entra.settings });
  expect((await register(broker, entra)).status).toBe(201);
});
afterAll(async () => {
  await broker.stop();
  await entra.stop();
});

const seconds = () => Math.floor(broker.clock.now() / 1000);
/** A valid token's header and payload as texts, to be written otherwise. */
function partsOf(changes?: TokenChanges): {
  readonly header: string;
  readonly payload: string;
  readonly signature: string;
} {
  const [header = '', payload = '', signature = ''] = entra.token(changes).split('.');
  const text = (part: string) => Buffer.from(part, 'base64url').toString();
  return { header: text(header), payload: text(payload), signature };
}
const publicPem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' });
const header = (changes: Record<string, unknown>) => ({ typ: 'JWT', alg: 'RS256', kid: entra.key.kid, ...changes });
const claims = (changes: Record<string, unknown>) => () => entra.token({ claims: changes });
const v1Claims = (changes: Record<string, unknown>) => () => entra.token({ version: 1, claims: changes });
/** The payload with a name written a second time at its end. */
const twice = (name: string, value: unknown) => () =>
  signCompact(header({}), partsOf().payload.replace(/}$/, `,"${name}":${JSON.stringify(value)}}`), entra.key);

const vectors: readonly (readonly [string, () => string])[] = [
  // The algorithm and the key.
  ['alg none, without a signature', () => `${encode(header({ alg: 'none' }))}.${encode(partsOf().payload)}.`],
  ['alg None, with the signature', () => entra.token({ header: { alg: 'None' } })],
  [
    'HS256 with the public key as its secret',
    () => {
      const input = `${encode(header({ alg: 'HS256' }))}.${encode(partsOf().payload)}`;
      return `${input}.${createHmac('sha256', publicPem(entra.key.publicKey)).update(input).digest('base64url')}`;
    },
  ],
  [
    'RS512 with the right key',
    () => {
      const input = `${encode(header({ alg: 'RS512' }))}.${encode(partsOf().payload)}`;
      return `${input}.${sign('sha512', Buffer.from(input), entra.key.privateKey).toString('base64url')}`;
    },
  ],
  ['no alg', () => entra.token({ header: { alg: undefined } })],
  ['another key under a known kid', () => entra.token({ key: newSigningKey(entra.key.kid) })],
  [
    'a jwk of its own',
    () => {
      const key = newSigningKey('mine');
      return entra.token({ key, header: { jwk: key.publicKey.export({ format: 'jwk' }) } });
    },
  ],
  ['a jwk beside a known kid', () => entra.token({ header: { jwk: entra.key.publicKey.export({ format: 'jwk' }) } })],
  ['jku', () => entra.token({ key: newSigningKey('mine'), header: { jku: `${entra.url}/jku` } })],
  ['jku beside a known kid', () => entra.token({ header: { jku: `${entra.url}/jku` } })],
  ['x5u', () => entra.token({ key: newSigningKey('mine'), header: { x5u: `${entra.url}/x5u` } })],
  ['x5c', () => entra.token({ header: { x5c: ['MIIB'] } })],
  ['a kid that is not known', () => entra.token({ header: { kid: 'unknown' } })],
  ['a kid that is a path', () => entra.token({ header: { kid: '../../jku' } })],
  ['a kid named as what objects inherit', () => entra.token({ header: { kid: '__proto__' } })],
  ['no kid', () => entra.token({ header: { kid: undefined } })],
  ['a kid that is a number', () => entra.token({ header: { kid: 1 } })],
  ['crit', () => entra.token({ header: { crit: ['exp'] } })],
  ['crit with b64 false', () => entra.token({ header: { crit: ['b64'], b64: false } })],
  ['another typ', () => entra.token({ header: { typ: 'pop' } })],
  // The issuer and the tenant.
  ['the issuer with a trailing slash', () => entra.token({ claims: { iss: `${entra.url}/${entra.tenantId}/v2.0/` } })],
  [
    'the issuer of version 1 without its slash',
    () => entra.token({ version: 1, claims: { iss: `https://sts.windows.net/${entra.tenantId}` } }),
  ],
  ['the issuer of another tenant', claims({ iss: `https://sts.windows.net/${otherTenant}/` })],
  ['a tenant that is not allowed, consistently', () => entra.token({ tenantId: otherTenant })],
  ['the same in version 1', () => entra.token({ version: 1, tenantId: otherTenant })],
  [
    'the issuer of version 1 in a token of version 2',
    () => entra.token({ claims: { iss: `https://sts.windows.net/${entra.tenantId}/` } }),
  ],
  [
    'the issuer of version 2 in a token of version 1',
    () => entra.token({ version: 1, claims: { iss: `${entra.url}/${entra.tenantId}/v2.0` } }),
  ],
  ['the issuer of another host', () => entra.token({ claims: { iss: `https://evil.example/${entra.tenantId}/v2.0` } })],
  ['the issuer in capitals', () => entra.token({ claims: { iss: `${entra.url}/${entra.tenantId}/V2.0` } })],
  ['the issuers as a list', () => entra.token({ claims: { iss: [`${entra.url}/${entra.tenantId}/v2.0`] } })],
  ['no issuer', claims({ iss: undefined })],
  ['another tid than the issuer’s', claims({ tid: otherTenant })],
  ['no tid', claims({ tid: undefined })],
  ['no tid in version 1', v1Claims({ tid: undefined })],
  ['no ver', claims({ ver: undefined })],
  ['a ver that is not known', claims({ ver: '3.0' })],
  // The audience.
  ['the audience of somebody else', claims({ aud: otherGuid })],
  ['the audience in capitals', () => entra.token({ claims: { aud: entra.audiences[1].toUpperCase() } })],
  ['the audience with a slash', () => entra.token({ version: 1, claims: { aud: `${entra.audiences[0]}/` } })],
  ['several audiences, ours among them', () => entra.token({ claims: { aud: [entra.audiences[1], otherGuid] } })],
  ['no audience', claims({ aud: undefined })],
  // An ID token, and what names nobody.
  ['an ID token: no client, and a nonce', claims({ azp: undefined, azpacr: undefined, nonce: 'n', roles: undefined })],
  ['an ID token with app roles and without a nonce', claims({ azp: undefined, azpacr: undefined })],
  ['an ID token with app roles and a nonce', claims({ nonce: 'n' })],
  ['an ID token with at_hash', claims({ at_hash: 'h' })],
  ['an ID token of version 1', v1Claims({ appid: undefined, appidacr: undefined })],
  ['neither scopes nor roles', claims({ roles: undefined })],
  ['no oid', claims({ oid: undefined })],
  ['an oid that is none', claims({ oid: "x' or '1" })],
  // Times.
  ['expired', () => entra.token({ claims: { exp: seconds() - 61 } })],
  ['not valid yet', () => entra.token({ claims: { nbf: seconds() + 65 } })],
  ['issued in the future', () => entra.token({ claims: { iat: seconds() + 65 } })],
  ['exp as text', () => entra.token({ claims: { exp: String(seconds() + 3600) } })],
  ['no exp', claims({ exp: undefined })],
  ['exp null', claims({ exp: null })],
  ['no nbf', claims({ nbf: undefined })],
  // The form.
  ['a claim written twice, the right one last', () => twice('aud', entra.audiences[1])()],
  ['app roles written twice', twice('roles', ['Bowline.Admin'])],
  [
    'a name written twice further in',
    () => signCompact(header({}), partsOf().payload.replace(/}$/, ',"extra":{"x":1,"x":2}}'), entra.key),
  ],
  [
    'a header name written twice',
    () => signCompact(partsOf().header.replace(/}$/, ',"alg":"RS256"}'), partsOf().payload, entra.key),
  ],
  [
    'lists nested deeper than a stack is, not signed by Entra',
    () => {
      const nested = `,"extra":${'['.repeat(5500)}${']'.repeat(5500)}}`;
      return `${encode(header({}))}.${encode(partsOf().payload.replace(/}$/, nested))}.AA`;
    },
  ],
  ['roles that are no list', claims({ roles: 'Bowline.Admin' })],
  ['a payload that is no object', () => signCompact(header({}), '[1]', entra.key)],
  ['a payload that is no JSON', () => signCompact(header({}), '{', entra.key)],
  [
    'a payload that is no UTF-8',
    () => `${encode(header({}))}.${Buffer.from([0x7b, 0xff, 0x7d]).toString('base64url')}.AA`,
  ],
  [
    'a payload changed after signing',
    () => {
      const { header: head, payload, signature } = partsOf();
      return `${encode(head)}.${encode(payload.replace('Bowline.Reader', 'Bowline.Admin'))}.${signature}`;
    },
  ],
  [
    'a signature with one bit changed',
    () => {
      const { header: head, payload, signature } = partsOf();
      const bytes = Buffer.from(signature, 'base64url');
      bytes[17] = (bytes[17] ?? 0) ^ 1;
      return `${encode(head)}.${encode(payload)}.${bytes.toString('base64url')}`;
    },
  ],
  ['no signature', () => entra.token().replace(/[^.]+$/, '')],
  ['a signature that is cut', () => entra.token().slice(0, -4)],
  ['more than 16 KB, rightly signed', () => entra.token({ claims: { groups: 'g'.repeat(13_000) } })],
  ['four parts', () => `${entra.token()}.e30`],
  ['five parts, as if encrypted', () => `${entra.token()}.e30.e30`],
  ['two parts', () => entra.token().split('.').slice(0, 2).join('.')],
  ['dots', () => '..'],
];

describe('an access token that is right (S-03)', () => {
  it.each([1, 2] as const)('is taken in version %i: 200, who and in which roles', async (version) => {
    expect(await withToken(broker, entra.token({ version }))).toMatchObject({
      status: 200,
      json: {
        id: `entra:${entra.tenantId}:${objectId}`,
        kind: 'entra',
        org_ids: ['ORG1'],
        roles: ['reader', 'operator'],
      },
    });
  });

  it('is taken with scopes of a user, and within a minute of its times', async () => {
    for (const changed of [
      { idtyp: undefined, scp: 'access' },
      { exp: seconds() - 55 },
      { nbf: seconds() + 55, iat: seconds() + 55 },
    ]) {
      expect((await withToken(broker, entra.token({ claims: changed }))).status, JSON.stringify(changed)).toBe(200);
    }
  });
});

describe('every other token is refused with 401 (S-03)', () => {
  it.each(vectors)('%s', async (_what, make) => {
    const refused = await withToken(broker, make());
    expect(refused).toMatchObject({ status: 401, json: { error: 'unauthenticated' } });
    expect(refused.headers.get('www-authenticate')).toBe('Bearer');
  });

  it('one of a megabyte reaches nothing: the host refuses such headers', async () => {
    const token = entra.token({ claims: { groups: 'g'.repeat(1_000_000) } });
    const status = await withToken(broker, token).then(
      (answer) => answer.status,
      () => 'the connection is cut',
    );
    expect([401, 431, 'the connection is cut']).toContain(status);
  });

  it('and the tokens are in no log line, nor was any address asked that a token named', async () => {
    const { payload, signature } = partsOf();
    await withToken(broker, `${encode(header({}))}.${encode(payload)}.${signature}x`);
    expect(`${broker.lines.join()}${JSON.stringify(broker.host.lines)}`).not.toContain(signature.slice(0, 40));
    expect(new Set(entra.requests)).toEqual(new Set([`/${entra.tenantId}/discovery/v2.0/keys`]));
  });

  it('where the deployment takes no tokens at all', async () => {
    const without = await startTestBroker({ beside: broker });
    expect(await withToken(without, entra.token())).toMatchObject({ status: 401, json: { error: 'unauthenticated' } });
    await without.stop();
  });
});

describe('a credential is told by its form (S-03)', () => {
  const ask = (headers: Record<string, string>) =>
    broker.call('GET', '/api/oauth/me', { key: null, org: null, headers });

  it('a token in x-api-key is none: 401', async () => {
    expect((await ask({ 'x-api-key': entra.token() })).status).toBe(401);
  });

  it('a header that is sent twice is refused, whichever of them is right, and whatever the other header says', async () => {
    const key = broker.adminKey;
    const wrong = `bwl_${'0'.repeat(32)}_${'A'.repeat(43)}`;
    const askTwice = (headers: OutgoingHttpHeaders) =>
      new Promise<number | undefined>((resolve, reject) => {
        get(`${broker.url}/api/oauth/me`, { headers }, (answer) => resolve(answer.resume().statusCode)).on(
          'error',
          reject,
        );
      });
    expect(await askTwice({ 'x-api-key': [key] })).toBe(200);
    for (const headers of [
      { 'x-api-key': [key, wrong] },
      { 'x-api-key': [key, key] },
      { authorization: [`Bearer ${key}`, `Bearer ${wrong}`] as unknown as string },
      { authorization: [`Bearer ${key}`, `Bearer ${key}`] as unknown as string },
      { authorization: [`Bearer ${wrong}`, `Bearer ${wrong}`] as unknown as string, 'x-api-key': key },
    ]) {
      expect(await askTwice(headers), Object.keys(headers).join()).toBe(401);
    }
  });

  it('two credentials that differ are refused, whichever of them is right; the same one twice is taken', async () => {
    const token = entra.token();
    const key = broker.adminKey;
    const wrong = `bwl_${'0'.repeat(32)}_${'A'.repeat(43)}`;
    expect((await ask({ authorization: `Bearer ${key}`, 'x-api-key': key })).status).toBe(200);
    for (const [authorization, apiKey] of [
      [`Bearer ${token}`, key],
      [`Bearer ${wrong}`, key],
      [`Bearer ${key}`, wrong],
      ['Basic YWRtaW46YWRtaW4=', key],
      ['Bearer', key],
      [`Bearer ${key}, Bearer ${key}`, key],
    ] as const) {
      expect((await ask({ authorization, 'x-api-key': apiKey })).status, authorization.slice(0, 12)).toBe(401);
    }
  });
});
