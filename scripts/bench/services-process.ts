import { startAzurite } from '../../src/host/services/azurite/index.ts';
import { startKeyVaultEmulator } from '../../src/host/services/key-vault/index.ts';
import { startAuthorizationServer } from '../../tests/support/authorization-server.ts';
import { answerParent } from './child-process.ts';

/** What a process of its own may run, so that what it takes of the processor can be told from what others take. */
const parts: Readonly<Record<string, () => Promise<object>>> = {
  async storage() {
    const { connectionString } = await startAzurite({ inMemory: true });
    return { connectionString };
  },

  /** Vault and a real authorization server. */
  async services() {
    const [vault, server] = await Promise.all([
      startKeyVaultEmulator(),
      startAuthorizationServer({ accessTokenLifeSeconds: 8 * 3600 }),
    ]);
    return { vaultUrl: vault.url, tokenUrl: server.endpoints.token, client: server.clients.service };
  },
};

const [, , part = ''] = process.argv;
const start = parts[part];
if (start === undefined) throw new Error(`no part is called "${part}"`);
answerParent(await start());
