import { startAzurite } from '../../src/host/services/azurite/index.ts';
import { startKeyVaultEmulator } from '../../src/host/services/key-vault/index.ts';
import { startAuthorizationServer } from '../../tests/support/authorization-server.ts';

/** Storage, vault and a real authorization server as a process of their own, so that the broker measured has its own. */
const [azurite, vault, server] = await Promise.all([
  startAzurite({ inMemory: true }),
  startKeyVaultEmulator(),
  startAuthorizationServer({ accessTokenLifeSeconds: 8 * 3600 }),
]);
process.send?.({
  connectionString: azurite.connectionString,
  vaultUrl: vault.url,
  tokenUrl: server.endpoints.token,
  client: server.clients.service,
});
process.on('disconnect', () => process.exit(0));
