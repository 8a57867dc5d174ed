import { DefaultAzureCredential, ManagedIdentityCredential, type TokenCredential } from '@azure/identity';

/** The function app's own identity in Azure, by client id where it has several. */
export function managedIdentity(clientId: string | undefined): TokenCredential {
  return clientId === undefined ? new ManagedIdentityCredential() : new ManagedIdentityCredential({ clientId });
}

/** Outside Azure: whatever the developer is signed in with. */
export function developerIdentity(): TokenCredential {
  return new DefaultAzureCredential();
}
