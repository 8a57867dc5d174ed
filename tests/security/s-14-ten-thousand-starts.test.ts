import { beforeAll, describe, expect, it } from 'vitest';
import { systemDigest } from '../../src/adapters/system/system-digest.ts';
import { createSystemRandom } from '../../src/adapters/system/system-random.ts';
import type { Caller } from '../../src/domain/caller.ts';
import { toOrgId } from '../../src/domain/ids.ts';
import type { Transaction } from '../../src/domain/transaction.ts';
import { buildAuthorizationUrl } from '../../src/oauth/authorization-request.ts';
import type { AuthorizationNeeds } from '../../src/usecases/authorization/needs.ts';
import { createStartAuthorization, type StartedPage } from '../../src/usecases/authorization/start-authorization.ts';
import { sampleConnection, sampleGrant } from '../support/tables-samples.ts';

const starts = 10_000;
const org = toOrgId('acme');
const connection = { ...sampleConnection('crm', org, { scopes: 'openid read' }), clientSecretRef: null };
const request = {
  org,
  name: connection.name,
  caller: { id: 'key-1', name: 'tests', orgIds: [org], roles: ['operator'] } as unknown as Caller,
  userId: null,
  returnUrl: null,
  loginHint: null,
  scopes: null,
  prompt: null,
  allowAccountChange: false,
};

const transactions: Transaction[] = [];
const started: StartedPage[] = [];

/** The use case with its real randomness and digests, and stores that only look on: storage would take minutes. */
function lookingOn(): AuthorizationNeeds {
  const own = { key: { connectionOrg: org, org, connection: connection.name, userId: null }, grant: sampleGrant() };
  return {
    clock: { now: () => 1_700_000_000_000 },
    random: createSystemRandom(),
    digest: systemDigest,
    connections: { get: async () => ({ connection, own }) },
    grants: { update: async () => undefined },
    transactions: {
      create: async (transaction: Transaction) => void transactions.push(transaction),
      consume: async () => true,
    },
    authorizationServer: { authorizationUrl: buildAuthorizationUrl },
    policy: { publicBaseUrl: 'https://bowline.example', allowedReturnOrigins: [], requireConnectPage: false },
    audit: { about: () => {}, note: async () => {} },
  } as unknown as AuthorizationNeeds;
}

beforeAll(async () => {
  const start = createStartAuthorization(lookingOn());
  for (let count = 0; count < starts; count += 1) started.push((await start(request)) as StartedPage);
});

const states = () => started.map(({ state }) => state?.reveal() ?? '');
const pages = () => started.map(({ authorizationUrl }) => new URL(authorizationUrl ?? ''));

function isJsonObject(text: string): boolean {
  try {
    return typeof JSON.parse(text) === 'object';
  } catch {
    return false;
  }
}

describe(`S-14 ${starts} authorizations of one connection`, () => {
  it('have as many PKCE challenges and verifiers, each verifier of 43 to 128 characters', () => {
    const verifiers = transactions.map(({ codeVerifier }) => codeVerifier.reveal());
    expect(new Set(verifiers).size).toBe(starts);
    for (const verifier of verifiers) expect(verifier).toMatch(/^[\w.~-]{43,128}$/);
    const challenges = pages().map((url) => url.searchParams.get('code_challenge'));
    expect(new Set(challenges).size).toBe(starts);
    expect(new Set(pages().map((url) => url.searchParams.get('code_challenge_method')))).toEqual(new Set(['S256']));
  });

  it('show no verifier and no browser key in anything that a browser gets', () => {
    const seen = started.map(({ authorizationUrl, connectUrl }) => `${authorizationUrl} ${connectUrl}`).join('\n');
    for (const { codeVerifier } of transactions.slice(0, 1000)) expect(seen).not.toContain(codeVerifier.reveal());
  });

  it('have as many nonces and links', () => {
    expect(new Set(pages().map((url) => url.searchParams.get('nonce'))).size).toBe(starts);
    expect(new Set(started.map(({ connectUrl }) => connectUrl)).size).toBe(starts);
  });
});

describe(`S-15 the state of ${starts} authorizations`, () => {
  it('is another each time, of 256 bits that spread over all values, and no UUID', () => {
    expect(new Set(states()).size).toBe(starts);
    const ones = Array.from({ length: 256 }, () => 0);
    for (const state of states()) {
      expect(state).toMatch(/^[\w-]{43}$/);
      const bytes = Buffer.from(state, 'base64url');
      expect(bytes).toHaveLength(32);
      for (const [at] of ones.entries()) ones[at] = (ones[at] ?? 0) + (((bytes[at >> 3] ?? 0) >> (at & 7)) & 1);
    }
    // Six standard deviations: a fixed bit, as the version of a UUID is, would be at 0 or at 10,000.
    for (const count of ones) expect(Math.abs(count - starts / 2)).toBeLessThan(300);
  });

  it('decodes to nothing: no JSON, no token, no name of an organisation, a connection or a caller', () => {
    for (const state of states()) {
      const decodings = (['base64url', 'base64', 'hex'] as const).map((form) =>
        Buffer.from(state, form).toString('latin1'),
      );
      for (const text of [state, ...decodings]) {
        expect(text).not.toMatch(/acme|key-1|tests|^ey[\w-]+\./);
        expect(isJsonObject(text), text).toBe(false);
      }
    }
  });
});
