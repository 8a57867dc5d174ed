targetScope = 'resourceGroup'

@description('Begins the name of every resource.')
@minLength(3)
@maxLength(7)
param namePrefix string = 'bowline'

@description('Region of all resources. It must offer the Flex Consumption plan.')
param location string = resourceGroup().location

@description('Origin of the callback URLs, such as https://oauth.example.com. Empty: the address that Azure gives the app.')
param publicBaseUrl string = ''

@description('SHA-256, in hex, of the first administrator key. The key itself stays with the administrator.')
param bootstrapAdminKeySha256 string = ''

@description('Tenants of Microsoft Entra whose access tokens are taken, comma-separated. Empty: API keys only.')
param entraTenantId string = ''

@description('What the aud of such a token may be, exactly: api://... in version 1, the client id in version 2. Comma-separated.')
param entraAudience string = ''

@description('Where the signing keys of Entra are. Another one in a sovereign cloud.')
#disable-next-line no-hardcoded-env-urls
param entraAuthority string = 'https://login.microsoftonline.com'

@description('Whether a principal that is not registered acts for the organisation that is named like its tenant.')
param entraOrgFromTenant bool = false

@description('Origins that return_url may name, comma-separated. Empty: none.')
param allowedReturnOrigins string = ''

@description('Whether authorizations must begin at the page that binds them to one browser.')
param requireConnectPage bool = false

@description('When the sweep runs, as NCRONTAB in UTC.')
param refreshSchedule string = '0 */30 * * * *'

@description('Name of the vault secret whose enabled versions are the encryption keys.')
param encryptionKeySecretName string = 'oauth-token-encryption-key'

@description('Whether the vault may be reached from public addresses. Disabled needs a private endpoint and an app in its network.')
@allowed([
  'Enabled'
  'Disabled'
])
param vaultPublicNetworkAccess string = 'Enabled'

@description('Most instances that the app may grow to.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Days that logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 90

var suffix = uniqueString(resourceGroup().id)
var appName = '${namePrefix}-${suffix}'
var deploymentContainerName = 'app-package'

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: 'id-${appName}'
  location: location
}

module hostStorage 'modules/storage-account.bicep' = {
  name: 'host-storage'
  params: {
    name: '${namePrefix}host${suffix}'
    location: location
    containerNames: [
      deploymentContainerName
    ]
  }
}

module dataStorage 'modules/storage-account.bicep' = {
  name: 'data-storage'
  params: {
    name: '${namePrefix}data${suffix}'
    location: location
    tableNames: [
      'OAuthConnections'
      'OAuthUserGrants'
      'OAuthTransactions'
      'OAuthRefreshDue'
      'OAuthAudit'
      'OAuthCallers'
      'OAuthWorkflows'
      'OAuthJobs'
      'OAuthRevocations'
    ]
    queueNames: [
      'oauth-refresh'
      'oauth-refresh-poison'
    ]
  }
}

module vault 'modules/key-vault.bicep' = {
  name: 'key-vault'
  params: {
    name: '${namePrefix}-${suffix}'
    location: location
    publicNetworkAccess: vaultPublicNetworkAccess
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  params: {
    name: appName
    location: location
    retentionDays: logRetentionDays
  }
}

module roles 'modules/roles.bicep' = {
  name: 'roles'
  params: {
    principalId: identity.properties.principalId
    hostStorageName: hostStorage.outputs.name
    dataStorageName: dataStorage.outputs.name
    vaultName: vault.outputs.name
    applicationInsightsName: monitoring.outputs.applicationInsightsName
  }
}

module app 'modules/function-app.bicep' = {
  name: 'function-app'
  params: {
    name: appName
    location: location
    identityId: identity.id
    identityClientId: identity.properties.clientId
    hostStorageName: hostStorage.outputs.name
    deploymentContainerUrl: '${hostStorage.outputs.blobEndpoint}${deploymentContainerName}'
    applicationInsightsConnectionString: monitoring.outputs.connectionString
    maximumInstanceCount: maximumInstanceCount
    tableServiceUri: dataStorage.outputs.tableEndpoint
    queueServiceUri: dataStorage.outputs.queueEndpoint
    vaultUrl: vault.outputs.url
    encryptionKeySecretName: encryptionKeySecretName
    publicBaseUrl: publicBaseUrl
    allowedReturnOrigins: allowedReturnOrigins
    requireConnectPage: requireConnectPage
    refreshSchedule: refreshSchedule
    bootstrapAdminKeySha256: bootstrapAdminKeySha256
    entraTenantId: entraTenantId
    entraAudience: entraAudience
    entraAuthority: entraAuthority
    entraOrgFromTenant: entraOrgFromTenant
  }
  dependsOn: [
    roles
  ]
}

output functionAppName string = app.outputs.name
output url string = app.outputs.url
output vaultName string = vault.outputs.name
output dataStorageName string = dataStorage.outputs.name
