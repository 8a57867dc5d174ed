import { createHash } from 'node:crypto';
import { app, output } from '@azure/functions';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Composition, compose } from '../../src/composition.ts';
import { registerFunctions } from '../../src/functions/register.ts';
import { defaultRefreshSchedule, loadSettings } from '../../src/settings.ts';
import { startTestHost, type TestHost } from '../support/functions-host-fixture.ts';

const adminKey = `bwl_${'0'.repeat(16)}_${'k'.repeat(43)}`;
/** Nobody answers there: a request that gets as far as storage is 503. */
const nowhere = 'https://127.0.0.1:9';

let host: TestHost;
let composition: Composition;
beforeAll(async () => {
  const settings = loadSettings({
    OAuthStorage: `DefaultEndpointsProtocol=https;AccountName=a;AccountKey=${Buffer.from('k').toString('base64')};TableEndpoint=${nowhere}/a;`,
    AZURE_KEY_VAULT_URL: nowhere,
    PUBLIC_BASE_URL: 'https://broker.example.com',
    OAUTH_TOKEN_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64url'),
    BOOTSTRAP_ADMIN_KEY_SHA256: createHash('sha256').update(adminKey).digest('hex'),
  });
  composition = compose(settings, () => {});
  host = await startTestHost(
    () =>
      registerFunctions(
        { app, output },
        {
          broker: () => composition.broker,
          refreshSchedule: defaultRefreshSchedule,
          queueName: 'none',
          onStop: async () => {},
        },
      ),
    { openQueue: () => ({}) as never },
  );
});
afterAll(async () => {
  await host.stop();
  await composition.close();
});

const fields = ['authorization_url', 'token_url', 'issuer', 'revocation_url', 'userinfo_url', 'test_url'];

async function create(changes: Record<string, unknown>) {
  const response = await host.get('/api/oauth/connections', {
    method: 'POST',
    headers: { 'x-api-key': adminKey, 'x-organization-id': 'ORG1', 'content-type': 'application/json' },
    body: JSON.stringify({
      connection_name: 'crm',
      oauth_flow_type: 'authorization_code',
      client_id: 'client',
      client_secret: 'secret',
      authorization_url: 'https://provider.example.com/authorize',
      token_url: 'https://provider.example.com/token',
      ...changes,
    }),
  });
  const text = await response.text();
  return { status: response.status, text, json: JSON.parse(text) };
}

describe('POST /oauth/connections without ALLOW_INSECURE_LOOPBACK: which URLs it saves (S-51)', () => {
  it.each([
    'http://provider.example.com/token',
    'http://127.0.0.1:8080/token',
    'http://localhost/token',
    'https://127.0.0.1/token',
    'https://localhost/token',
    'https://localhost./token',
    'https://0x7f000001/token',
    'https://2130706433/token',
    'https://0177.0.0.1/token',
    'https://127.1/token',
    'https://0.0.0.0/token',
    'https://10.0.0.1/token',
    'https://172.16.0.1/token',
    'https://192.168.1.1/token',
    'https://100.64.0.1/token',
    'https://169.254.169.254/metadata/identity/oauth2/token',
    'https://168.63.129.16/token',
    'https://[::1]/token',
    'https://[::ffff:7f00:1]/token',
    'https://[fd00::1]/token',
    'https://[fe80::1]/token',
    'https://[64:ff9b::7f00:1]/token',
    'https://[2002:7f00:1::]/token',
    'https://printer.local/token',
    'https://vault.internal/token',
    'https://metadata.google.internal/token',
    'https://intranet/token',
    'https://user:password@provider.example.com/token',
    'https://provider.example.com\\@evil.example.com/token',
    'https://provider.example.com/token#fragment',
    'ftp://provider.example.com/token',
    'javascript:alert(1)',
    'file:///etc/passwd',
    '//provider.example.com/token',
    'provider.example.com/token',
    ' https://provider.example.com/token',
  ])('400 url_not_allowed for %s', async (url) => {
    const refused = await create({ token_url: url });
    expect(refused).toMatchObject({
      status: 400,
      json: { error: 'url_not_allowed', details: [{ path: 'token_url', message: expect.any(String) }] },
    });
  });

  it.each(fields)('checks %s', async (field) => {
    const refused = await create({ [field]: 'https://169.254.169.254/latest' });
    expect(refused).toMatchObject({ status: 400, json: { error: 'url_not_allowed', details: [{ path: field }] } });
    expect(refused.text).not.toContain('169.254');
  });

  it('names every address that is wrong at once', async () => {
    const refused = await create(Object.fromEntries(fields.map((field) => [field, 'http://10.0.0.1/'])));
    expect(refused.json.details.map(({ path }: { path: string }) => path)).toEqual(fields);
  });

  it('calls it validation_failed where something else is wrong as well', async () => {
    const refused = await create({ token_url: 'http://10.0.0.1/', extra_token_params: { scope: 'x' } });
    expect(refused.json).toMatchObject({
      error: 'validation_failed',
      details: [{ path: 'extra_token_params.scope' }, { path: 'token_url' }],
    });
  });

  it('goes on to storage with public addresses, and says 503 when that is down', async () => {
    expect(
      await create({ test_url: 'https://93.184.216.34/ok', revocation_url: 'https://a.example.com:8443/r?x=1' }),
    ).toMatchObject({
      status: 503,
      json: { error: 'storage_unavailable' },
    });
  });
});
