import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  hostSettingNames,
  loadSettings,
  refreshQueueName,
  SettingsError,
  settingNames,
} from '../../../src/settings.ts';

const least = {
  OAuthStorage: 'UseDevelopmentStorage=true',
  AZURE_KEY_VAULT_URL: 'https://bowline.vault.azure.net',
  PUBLIC_BASE_URL: 'https://bowline.example.com',
};

/** The problems of the least settings with some changed. */
function problemsOf(changes: Readonly<Record<string, string | undefined>>): readonly string[] {
  try {
    loadSettings({ ...least, ...changes });
    return [];
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
}

const intervalOf = (schedule: string) => loadSettings({ ...least, REFRESH_SCHEDULE: schedule }).sweepIntervalSeconds;

describe('local.settings.example.json', () => {
  const path = join(import.meta.dirname, '..', '..', '..', 'local.settings.example.json');
  const { Values: values } = JSON.parse(readFileSync(path, 'utf8')) as { Values: Record<string, string> };

  test('names every setting of the app, what Core Tools wants, and nothing else', () => {
    const ofTools = ['FUNCTIONS_WORKER_RUNTIME', 'AzureWebJobsStorage'];
    expect(Object.keys(values)).toEqual([...ofTools, ...settingNames]);
    for (const name of hostSettingNames) expect(values).not.toHaveProperty(name);
  });

  test('holds together, and shows the defaults', () => {
    const { storage, keyVaultUrl, publicBaseUrl, allowInsecureLoopback, ...others } = loadSettings(values);
    expect(allowInsecureLoopback).toBe(true);
    expect(loadSettings(least)).toMatchObject(others);
  });
});

describe('settings', () => {
  test('have no stand-ins for providers: those are for the embedded host, which takes the setting away', () => {
    const problem = 'BOWLINE_MOCK_PROVIDERS works in the embedded host only (npm start)';
    for (const value of ['true', 'yes', 'http://127.0.0.1:7071']) {
      expect(problemsOf({ BOWLINE_MOCK_PROVIDERS: value, ALLOW_INSECURE_LOOPBACK: 'true' })).toEqual([problem]);
    }
    for (const value of ['', 'false']) expect(problemsOf({ BOWLINE_MOCK_PROVIDERS: value })).toEqual([]);
  });

  test('have defaults for all but storage, vault and public address, and cannot be changed', () => {
    const settings = loadSettings(least);
    expect(settings).toMatchObject({
      keyVaultUrl: 'https://bowline.vault.azure.net',
      encryptionKeys: [],
      encryptionKeySecretName: 'oauth-token-encryption-key',
      publicBaseUrl: 'https://bowline.example.com',
      allowedReturnOrigins: [],
      requireConnectPage: false,
      refreshSchedule: '0 */30 * * * *',
      sweepIntervalSeconds: 1800,
      refreshWindowSeconds: 14_400,
      idleAfterSeconds: 604_800,
      credentialMinTtlSeconds: 60,
      credentialCacheSeconds: 5,
      rateLimitPerMinute: 6000,
      authorizeLimitPerMinute: 600,
      tablePrefix: '',
      bootstrapAdminKeySha256: undefined,
      entraTenantIds: [],
      entraAudiences: [],
      entraAuthority: 'https://login.microsoftonline.com',
      entraOrgFromTenant: false,
      allowInsecureLoopback: false,
    });
    expect(Object.isFrozen(settings)).toBe(true);
  });

  test('report every problem at once, by name and never by value', () => {
    const marker = 'marker-value';
    const problems = problemsOf({
      OAuthStorage: undefined,
      AZURE_KEY_VAULT_URL: `not a url ${marker}`,
      PUBLIC_BASE_URL: `https://example.com/${marker}`,
      OAuthStorage__credential: marker,
      ENCRYPTION_KEY_SECRET_NAME: `${marker}!`,
      ALLOWED_RETURN_ORIGINS: `https://fine.example.com, ${marker}`,
      REQUIRE_CONNECT_PAGE: marker,
      REFRESH_SCHEDULE: marker,
      REFRESH_WINDOW_SECONDS: marker,
      IDLE_AFTER_SECONDS: '172799',
      CREDENTIAL_MIN_TTL_SECONDS: '1.5',
      CREDENTIAL_CACHE_SECONDS: '-1',
      RATE_LIMIT_PER_MINUTE: 'many',
      AUTHORIZE_LIMIT_PER_MINUTE: '-1',
      TABLE_PREFIX: marker,
      BOOTSTRAP_ADMIN_KEY_SHA256: marker,
      ALLOW_INSECURE_LOOPBACK: 'yes',
    });
    expect(problems).toEqual([
      'OAuthStorage__credential must be managedidentity',
      'AZURE_KEY_VAULT_URL must be a URL',
      'ENCRYPTION_KEY_SECRET_NAME must be a name of a vault secret',
      'PUBLIC_BASE_URL must be an origin such as https://example.com, without a path',
      'ALLOWED_RETURN_ORIGINS must be an origin such as https://example.com, without a path',
      'REQUIRE_CONNECT_PAGE must be true or false',
      'REFRESH_WINDOW_SECONDS must be a whole number of seconds',
      'IDLE_AFTER_SECONDS must be at least 172800',
      'CREDENTIAL_MIN_TTL_SECONDS must be a whole number of seconds',
      'CREDENTIAL_CACHE_SECONDS must be a whole number of seconds',
      'RATE_LIMIT_PER_MINUTE must be a whole number',
      'AUTHORIZE_LIMIT_PER_MINUTE must be a whole number',
      'TABLE_PREFIX must be 1 to 20 lower-case letters and digits, beginning with a letter',
      'BOOTSTRAP_ADMIN_KEY_SHA256 must be a SHA-256 in hex',
      'ALLOW_INSECURE_LOOPBACK must be true or false',
      'OAuthStorage is missing (or OAuthStorage__tableServiceUri for a managed identity)',
      'REFRESH_SCHEDULE must be an NCRONTAB expression of six fields',
    ]);
    expect(new SettingsError(problems).message).not.toContain(marker);
  });

  describe('of Microsoft Entra', () => {
    const [one, other] = ['11111111-2222-4333-8444-555555555555', '66666666-7777-4888-9999-AAAAAAAAAAAA'];

    test('take several tenants and audiences, and another authority', () => {
      const settings = loadSettings({
        ...least,
        ENTRA_TENANT_ID: `${one}, ${other}`,
        ENTRA_AUDIENCE: `api://Bowline , ${one}`,
        ENTRA_AUTHORITY: 'https://login.microsoftonline.us/',
        ENTRA_ORG_FROM_TENANT: 'true',
      });
      expect(settings).toMatchObject({
        entraTenantIds: [one, other.toLowerCase()],
        entraAudiences: ['api://Bowline', one],
        entraAuthority: 'https://login.microsoftonline.us',
        entraOrgFromTenant: true,
      });
    });

    test('belong together: neither tenant nor audience alone', () => {
      expect(problemsOf({ ENTRA_TENANT_ID: one })).toEqual(['ENTRA_AUDIENCE is missing for Entra tokens']);
      expect(problemsOf({ ENTRA_AUDIENCE: one })).toEqual(['ENTRA_TENANT_ID is missing for Entra tokens']);
      expect(problemsOf({ ENTRA_ORG_FROM_TENANT: 'true' })).toHaveLength(2);
    });

    test.each(['common', 'organizations', 'contoso.onmicrosoft.com', `${one}/..`])('refuse the tenant %s', (tenant) => {
      const problems = problemsOf({ ENTRA_TENANT_ID: `${one},${tenant}`, ENTRA_AUDIENCE: one });
      expect(problems).toEqual(['ENTRA_TENANT_ID must be ids of tenants (GUIDs)']);
    });

    test('want the authority over https, but on loopback where that is allowed', () => {
      const loopback = { ENTRA_AUTHORITY: 'http://127.0.0.1:1' };
      expect(problemsOf(loopback)).toEqual(['ENTRA_AUTHORITY must begin with https://']);
      expect(problemsOf({ ...loopback, ALLOW_INSECURE_LOOPBACK: 'true' })).toEqual([]);
      expect(problemsOf({ ENTRA_AUTHORITY: 'https://login.microsoftonline.com/common' })).toHaveLength(1);
    });
  });

  test('say what is missing', () => {
    expect(problemsOf({ OAuthStorage: '', AZURE_KEY_VAULT_URL: ' ', PUBLIC_BASE_URL: undefined })).toEqual([
      'AZURE_KEY_VAULT_URL is missing',
      'PUBLIC_BASE_URL is missing',
      'OAuthStorage is missing (or OAuthStorage__tableServiceUri for a managed identity)',
    ]);
  });

  test('are trimmed, lists item by item, and empty ones count as left out', () => {
    const settings = loadSettings({
      ...least,
      PUBLIC_BASE_URL: ' https://bowline.example.com/ ',
      ALLOWED_RETURN_ORIGINS: ' https://a.example.com , ,https://B.example.com/ ',
      OAUTH_TOKEN_ENCRYPTION_KEY: ' one , two ,',
      CREDENTIAL_CACHE_SECONDS: ' 0 ',
      TABLE_PREFIX: '   ',
      BOOTSTRAP_ADMIN_KEY_SHA256: `${'AB'.repeat(32)}\n`,
    });
    expect(settings).toMatchObject({
      publicBaseUrl: 'https://bowline.example.com',
      allowedReturnOrigins: ['https://a.example.com', 'https://b.example.com'],
      credentialCacheSeconds: 0,
      tablePrefix: '',
      bootstrapAdminKeySha256: 'ab'.repeat(32),
    });
    expect(settings.encryptionKeys.map((key) => key.reveal())).toEqual(['one', 'two']);
  });

  test('do not print their secrets', () => {
    const secret = 'AccountKey=marker';
    const settings = loadSettings({ ...least, OAuthStorage: secret, OAUTH_TOKEN_ENCRYPTION_KEY: 'marker' });
    expect(JSON.stringify(settings)).not.toContain('marker');
    expect(settings.storage).toHaveProperty('connectionString');
  });
});

describe('storage', () => {
  const identity = {
    OAuthStorage: undefined,
    OAuthStorage__tableServiceUri: 'https://data.table.core.windows.net',
    OAuthStorage__queueServiceUri: 'https://data.queue.core.windows.net',
  };

  test('is taken from AZURE_STORAGE_CONNECTION_STRING where OAuthStorage is missing', () => {
    const fallback = { AZURE_STORAGE_CONNECTION_STRING: 'fallback' };
    const read = (changes: object) => {
      const { storage } = loadSettings({ ...least, ...fallback, ...changes });
      return 'connectionString' in storage ? storage.connectionString.reveal() : undefined;
    };
    expect(read({})).toBe(least.OAuthStorage);
    expect(read({ OAuthStorage: undefined })).toBe('fallback');
  });

  test('is reached with an identity where there is no connection string', () => {
    expect(loadSettings({ ...least, ...identity, OAuthStorage__clientId: 'id' }).storage).toEqual({
      tableServiceUri: 'https://data.table.core.windows.net',
      managedIdentityClientId: 'id',
    });
  });

  test('with an identity takes both addresses, for the queue bindings read the other', () => {
    expect(problemsOf({ ...identity, OAuthStorage__queueServiceUri: undefined })).toEqual([
      'OAuthStorage__queueServiceUri is missing beside OAuthStorage__tableServiceUri',
    ]);
  });
});

describe('addresses', () => {
  const names = [
    'AZURE_KEY_VAULT_URL',
    'PUBLIC_BASE_URL',
    'OAuthStorage__tableServiceUri',
    'OAuthStorage__queueServiceUri',
  ];

  test.each(names)('%s must be https, on this machine too unless ALLOW_INSECURE_LOOPBACK says otherwise', (name) => {
    const problem = [`${name} must begin with https://`];
    expect(problemsOf({ [name]: 'http://example.com' })).toEqual(problem);
    expect(problemsOf({ [name]: 'http://127.0.0.1:7071' })).toEqual(problem);
    const allowed = { ALLOW_INSECURE_LOOPBACK: 'true' };
    expect(problemsOf({ ...allowed, [name]: 'http://example.com' })).toEqual(problem);
    expect(problemsOf({ ...allowed, [name]: 'http://127.0.0.1.example.com' })).toEqual(problem);
    for (const own of ['http://127.0.0.1:7071', 'http://localhost', 'http://[::1]:80']) {
      expect(problemsOf({ ...allowed, [name]: own })).toEqual([]);
    }
  });

  test.each([
    'https://example.com/path',
    'https://example.com?query',
    'https://user@example.com',
    'ftp://example.com',
    'example.com',
  ])('PUBLIC_BASE_URL is an origin and nothing more, not %s', (address) => {
    expect(problemsOf({ PUBLIC_BASE_URL: address })).toContain(
      'PUBLIC_BASE_URL must be an origin such as https://example.com, without a path',
    );
  });
});

describe('the schedule of the sweep', () => {
  test.each(['* * * * *', '0 */30 * * * * *', '99 * * * * *', '0 0 0 30 2 *', 'daily', '0 */30 * * * monkey'])(
    'is refused when it is not one of six fields that ever comes round: %s',
    (schedule) => {
      expect(problemsOf({ REFRESH_SCHEDULE: schedule })).toEqual([
        'REFRESH_SCHEDULE must be an NCRONTAB expression of six fields',
      ]);
    },
  );

  test.each([
    ['*/10 * * * * *', 10],
    ['0 */5 * * * *', 300],
    ['0 0,30 * * * *', 1800],
    ['0 0,10 * * * *', 3000],
    ['0 0 3 * * *', 86_400],
    ['0 0 3 * * 1', 7 * 86_400],
    ['0 0 3 1 * *', 31 * 86_400],
  ])('%s lets at most %i seconds pass', (schedule, seconds) => {
    expect(intervalOf(schedule)).toBe(seconds);
  });

  test('counts nights and weekends, however often it runs by day', () => {
    expect(intervalOf('0 * 9-17 * * *')).toBe(15 * 3600 + 60);
    expect(intervalOf('0 * 9-17 * * 1-5')).toBe((15 + 48) * 3600 + 60);
  });
});

describe('the refresh queue', () => {
  test('has the prefix of the tables', () => {
    expect(refreshQueueName('')).toBe('oauth-refresh');
    expect(refreshQueueName('test1')).toBe('test1oauth-refresh');
  });
});
