param name string
param location string
param identityId string
param identityClientId string
param hostStorageName string
param deploymentContainerUrl string
param applicationInsightsConnectionString string
param maximumInstanceCount int
param tableServiceUri string
param queueServiceUri string
param vaultUrl string
param encryptionKeySecretName string
param publicBaseUrl string
param allowedReturnOrigins string
param requireConnectPage bool
param refreshSchedule string
param bootstrapAdminKeySha256 string
param entraTenantId string
param entraAudience string
param entraAuthority string
param entraOrgFromTenant bool

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: 'plan-${name}'
  location: location
  kind: 'functionapp'
  sku: {
    tier: 'FlexConsumption'
    name: 'FC1'
  }
  properties: {
    reserved: true
  }
}

resource app 'Microsoft.Web/sites@2024-04-01' = {
  name: name
  location: location
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    siteConfig: {
      minTlsVersion: '1.2'
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: deploymentContainerUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      scaleAndConcurrency: {
        maximumInstanceCount: maximumInstanceCount
        instanceMemoryMB: 2048
      }
      runtime: {
        name: 'node'
        version: '24'
      }
    }
  }
}

// The names that Bowline reads are those of src/settings.ts; tests/unit/infra keeps the two in step.
resource appSettings 'Microsoft.Web/sites/config@2024-04-01' = {
  parent: app
  name: 'appsettings'
  properties: {
    AzureWebJobsStorage__accountName: hostStorageName
    AzureWebJobsStorage__credential: 'managedidentity'
    AzureWebJobsStorage__clientId: identityClientId
    APPLICATIONINSIGHTS_CONNECTION_STRING: applicationInsightsConnectionString
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
    OAuthStorage__tableServiceUri: tableServiceUri
    OAuthStorage__queueServiceUri: queueServiceUri
    OAuthStorage__credential: 'managedidentity'
    OAuthStorage__clientId: identityClientId
    // As scripts/launch/host-flags.mjs has it.
    NODE_OPTIONS: '--max-semi-space-size=8'
    AZURE_KEY_VAULT_URL: vaultUrl
    ENCRYPTION_KEY_SECRET_NAME: encryptionKeySecretName
    PUBLIC_BASE_URL: empty(publicBaseUrl) ? 'https://${app.properties.defaultHostName}' : publicBaseUrl
    ALLOWED_RETURN_ORIGINS: allowedReturnOrigins
    REQUIRE_CONNECT_PAGE: requireConnectPage ? 'true' : 'false'
    REFRESH_SCHEDULE: refreshSchedule
    REFRESH_WINDOW_SECONDS: '14400'
    IDLE_AFTER_SECONDS: '604800'
    CREDENTIAL_MIN_TTL_SECONDS: '60'
    CREDENTIAL_CACHE_SECONDS: '5'
    RATE_LIMIT_PER_MINUTE: '6000'
    AUTHORIZE_LIMIT_PER_MINUTE: '600'
    AUDIT_CREDENTIAL_READS: 'windowed'
    AUDIT_RETENTION_DAYS: '400'
    JOB_RETENTION_DAYS: '30'
    BOOTSTRAP_ADMIN_KEY_SHA256: bootstrapAdminKeySha256
    ENTRA_TENANT_ID: entraTenantId
    ENTRA_AUDIENCE: entraAudience
    ENTRA_AUTHORITY: entraAuthority
    ENTRA_ORG_FROM_TENANT: entraOrgFromTenant ? 'true' : 'false'
  }
}

output name string = app.name
output url string = 'https://${app.properties.defaultHostName}'
