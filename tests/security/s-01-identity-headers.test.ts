import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { routeTable } from '../../src/functions/route-table.ts';
import { bodyOf, pathOf } from '../functions/support/every-route.ts';
import { type Call, startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { essenceOf } from './support/answers.ts';

const principal = Buffer.from(
  JSON.stringify({ auth_typ: 'aad', claims: [{ typ: 'roles', val: 'Bowline.Admin' }], userRoles: ['admin'] }),
).toString('base64');

/** Headers that carry an identity, an organisation or another path elsewhere, in odd spellings and twice. */
const forged: readonly Readonly<Record<string, string>>[] = [
  { 'x-user-id': 'root' },
  { 'X-MS-CLIENT-PRINCIPAL': principal, 'X-MS-CLIENT-PRINCIPAL-ID': 'root', 'X-MS-CLIENT-PRINCIPAL-NAME': 'root' },
  { 'x-mS-cLIENT-pRINCIPAL': principal, 'x-ms-client-principal-idp': 'aad' },
  { 'x-ms-token-aad-access-token': 'e30.e30.', 'x-ms-token-aad-id-token': 'e30.e30.' },
  {
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-user': 'root',
    'x-forwarded-host': 'evil.example',
    forwarded: 'for=::1',
  },
  { 'x-original-url': '/api/health', 'x-rewrite-url': '/api/health', 'x-http-method-override': 'GET' },
  { 'x-org-id': 'ORG2', 'organization-id': 'ORG2', 'x-organization_id': 'ORG2', 'x-tenant-id': 'ORG2' },
  { cookie: 'x-api-key=bwl_00; session=root; AppServiceAuthSession=root', 'x-functions-key': 'root' },
];

let broker: TestBroker;
let key: string;
beforeAll(async () => {
  broker = await startTestBroker();
  key = await broker.createKey(['ORG1'], ['operator', 'auditor']);
});
afterAll(() => broker.stop());

/** Its newest job and its probes say something else each time. */
const changing = ['refresh-job-status', 'rekey-job-status'];

describe.each(routeTable.filter(({ name }) => !changing.includes(name)).map((route) => [route.name, route] as const))(
  'S-01 %s',
  (_name, route) => {
    const ask = (call: Call) => broker.call(route.method, pathOf(route.path), { body: bodyOf(route), ...call });

    it('answers a caller the same, byte by byte, whatever identity other headers claim', async () => {
      const plain = essenceOf(await ask({ key }));
      for (const headers of forged) expect(essenceOf(await ask({ key, headers })), JSON.stringify(headers)).toBe(plain);
    });

    it('answers nobody the same, which is 401 unless it is public', async () => {
      const plain = await ask({ key: null });
      if (route.permission.kind !== 'public') expect(plain.status).toBe(401);
      for (const headers of forged) expect(essenceOf(await ask({ key: null, headers }))).toBe(essenceOf(plain));
    });
  },
);

describe('S-01 X-Organization-Id', () => {
  const ask = (lines: readonly string[]) =>
    broker.host.raw(
      ['GET /api/oauth/connections HTTP/1.1', 'Host: 127.0.0.1', 'Connection: close', `x-api-key: ${key}`, ...lines]
        .join('\r\n')
        .concat('\r\n\r\n'),
    );

  it('chooses among the caller’s own, in whatever letters its name is written', async () => {
    for (const name of ['X-Organization-Id', 'x-organization-id', 'X-ORGANIZATION-ID']) {
      expect(await ask([`${name}: ORG1`])).toContain('HTTP/1.1 200');
    }
  });

  it.each([
    ['another', ['X-Organization-Id: ORG2']],
    ['its own, then another', ['X-Organization-Id: ORG1', 'X-Organization-Id: ORG2']],
    ['another, then its own', ['x-organization-id: ORG2', 'X-ORGANIZATION-ID: ORG1']],
    ['its own twice', ['X-Organization-Id: ORG1', 'X-Organization-Id: ORG1']],
    ['a list', ['X-Organization-Id: ORG1,ORG2']],
    ['all', ['X-Organization-Id: *']],
    ['other letters', ['X-Organization-Id: org1']],
  ])('403 for %s', async (_what, lines) => {
    const answer = await ask(lines);
    expect(answer).toContain('HTTP/1.1 403');
    expect(answer).toContain('"error":"organization_forbidden"');
  });
});
