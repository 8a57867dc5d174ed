import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { bicepParser, syntaxFaults } from '../../../scripts/bicep/parse.ts';
import { hostFlags } from '../../../scripts/launch/host-flags.mjs';
import { settingNames } from '../../../src/settings.ts';
import { type BicepObject, type BicepProgram, type BicepResource, readBicep } from '../../support/bicep.ts';

const folder = join(import.meta.dirname, '..', '..', '..', 'infra');

/** Settings that an app in Azure does not get, and why. */
const absentInAzure = new Map([
  ['OAuthStorage', 'a connection string holds a key; Azure has the identity'],
  ['AZURE_STORAGE_CONNECTION_STRING', 'the same'],
  ['OAUTH_TOKEN_ENCRYPTION_KEY', 'a secret; the vault has it'],
  ['TABLE_PREFIX', 'the data account is of this app alone'],
  ['ALLOW_INSECURE_LOOPBACK', 'for the embedded host only'],
]);

const platformSettings = [
  'APPLICATIONINSIGHTS_AUTHENTICATION_STRING',
  'APPLICATIONINSIGHTS_CONNECTION_STRING',
  'AzureWebJobsStorage__accountName',
  'AzureWebJobsStorage__clientId',
  'AzureWebJobsStorage__credential',
  'NODE_OPTIONS',
];

let program: BicepProgram;

beforeAll(async () => {
  program = await readBicep(folder);
});

function ofType(type: string): readonly BicepResource[] {
  return program.resources.filter((resource) => resource.type === type && !resource.isExisting);
}

function propertiesOf(resource: BicepResource | undefined): BicepObject {
  return (resource?.body.properties ?? {}) as BicepObject;
}

function moduleParams(symbol: string): BicepObject {
  return program.modules.find((module) => module.symbol === symbol)?.params ?? {};
}

describe('the identity (S-67)', () => {
  test('has exactly the roles that Bowline needs, each on one resource', () => {
    const assigned = ofType('Microsoft.Authorization/roleAssignments').map((resource) => {
      const { roleDefinitionId, principalId, principalType } = propertiesOf(resource);
      return { scope: resource.body.scope, role: roleDefinitionId, principalId, principalType };
    });
    const role = (name: string) =>
      `subscriptionResourceId('Microsoft.Authorization/roleDefinitions', builtInRoles.${name})`;
    const principal = { principalId: 'principalId', principalType: 'ServicePrincipal' };
    expect(assigned).toEqual([
      { scope: 'hostStorage', role: role('storageBlobDataOwner'), ...principal },
      { scope: 'dataStorage', role: role('storageTableDataContributor'), ...principal },
      { scope: 'dataStorage', role: role('storageQueueDataContributor'), ...principal },
      { scope: 'vault', role: 'secretKeeper.id', ...principal },
      { scope: 'applicationInsights', role: role('monitoringMetricsPublisher'), ...principal },
    ]);
  });

  test('is the only one that the roles are given to', () => {
    expect(moduleParams('roles')).toMatchObject({
      principalId: 'identity.properties.principalId',
      hostStorageName: 'hostStorage.outputs.name',
      dataStorageName: 'dataStorage.outputs.name',
    });
  });

  test('may do with secrets what Bowline does, and not purge them', () => {
    const definitions = ofType('Microsoft.Authorization/roleDefinitions');
    expect(definitions).toHaveLength(1);
    expect(propertiesOf(definitions[0]).permissions).toEqual([
      {
        actions: [],
        notActions: [],
        dataActions: [
          'Microsoft.KeyVault/vaults/secrets/getSecret/action',
          'Microsoft.KeyVault/vaults/secrets/readMetadata/action',
          'Microsoft.KeyVault/vaults/secrets/setSecret/action',
          'Microsoft.KeyVault/vaults/secrets/update/action',
          'Microsoft.KeyVault/vaults/secrets/delete',
          'Microsoft.KeyVault/vaults/secrets/recover/action',
        ],
        notDataActions: [],
      },
    ]);
  });
});

describe('storage (S-48)', () => {
  test('every account refuses shared keys, public blobs, plain http and old TLS', () => {
    const accounts = ofType('Microsoft.Storage/storageAccounts');
    expect(accounts.map(({ file }) => file)).toEqual(['modules/storage-account.bicep']);
    expect(propertiesOf(accounts[0])).toMatchObject({
      allowSharedKeyAccess: 'false',
      allowBlobPublicAccess: 'false',
      minimumTlsVersion: 'TLS1_2',
      supportsHttpsTrafficOnly: 'true',
    });
  });

  test('the data lie in another account than the host’s files', () => {
    const accounts = program.modules.filter(({ path }) => path === 'modules/storage-account.bicep');
    expect(accounts.map(({ symbol, params }) => [symbol, params.name])).toEqual([
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Bicep's own interpolation
      ['hostStorage', '${namePrefix}host${suffix}'],
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Bicep's own interpolation
      ['dataStorage', '${namePrefix}data${suffix}'],
    ]);
  });

  test('has the tables and queues of the data model', () => {
    expect(moduleParams('dataStorage')).toMatchObject({
      tableNames: [
        'OAuthConnections',
        'OAuthUserGrants',
        'OAuthTransactions',
        'OAuthRefreshDue',
        'OAuthAudit',
        'OAuthCallers',
        'OAuthWorkflows',
        'OAuthJobs',
        'OAuthRevocations',
      ],
      queueNames: ['oauth-refresh', 'oauth-refresh-poison'],
    });
  });
});

describe('the vault', () => {
  test('goes by roles, and what is deleted can be recovered for 90 days', () => {
    expect(propertiesOf(ofType('Microsoft.KeyVault/vaults')[0])).toMatchObject({
      enableRbacAuthorization: 'true',
      enableSoftDelete: 'true',
      softDeleteRetentionInDays: '90',
      enablePurgeProtection: 'true',
    });
  });

  test('gets no secret from Bicep, where it would stay readable in the deployment', () => {
    expect(program.resources.filter(({ type }) => type.startsWith('Microsoft.KeyVault/vaults/'))).toEqual([]);
  });
});

describe('the function app', () => {
  test('runs on Node 24, over https, and takes its package with its identity', () => {
    const properties = propertiesOf(ofType('Microsoft.Web/sites')[0]);
    expect(properties.httpsOnly).toBe('true');
    expect(properties.functionAppConfig).toMatchObject({
      runtime: { name: 'node', version: '24' },
      deployment: { storage: { type: 'blobContainer', authentication: { type: 'UserAssignedIdentity' } } },
    });
  });

  test('has every setting that Bowline reads in Azure, those of the platform, and no other', () => {
    const given = Object.keys(propertiesOf(ofType('Microsoft.Web/sites/config')[0]));
    const expected = settingNames.filter((name) => !absentInAzure.has(name));
    expect(given.toSorted()).toEqual([...platformSettings, ...expected].toSorted());
  });

  test('runs Node with the flags of the embedded host', () => {
    const { NODE_OPTIONS: options } = propertiesOf(ofType('Microsoft.Web/sites/config')[0]);
    expect(options).toBe(hostFlags.join(' '));
  });

  test('reaches storage as its own identity', () => {
    expect(propertiesOf(ofType('Microsoft.Web/sites/config')[0])).toMatchObject({
      OAuthStorage__credential: 'managedidentity',
      OAuthStorage__clientId: 'identityClientId',
      AzureWebJobsStorage__credential: 'managedidentity',
      AzureWebJobsStorage__clientId: 'identityClientId',
    });
  });
});

describe('the syntax gate', () => {
  test('sees what the grammar does not allow, and where', async () => {
    const parse = await bicepParser();
    const lawful = readFileSync(join(folder, 'main.bicep'), 'utf8');
    expect(syntaxFaults(parse(lawful))).toEqual([]);
    const faulty = lawful.replace("param namePrefix string = 'bowline'", "param namePrefix string = = 'bowline'");
    expect(syntaxFaults(parse(faulty))).toEqual([{ line: 6, text: expect.stringContaining('not understood') }]);
  });
});
