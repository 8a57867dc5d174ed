import { startAzurite } from '../../src/host/services/azurite/index.ts';
import { startKeyVaultEmulator } from '../../src/host/services/key-vault/index.ts';
import { startAuthorizationServer } from '../../tests/support/authorization-server.ts';
import { type Answers, serveParent } from './child-process.ts';
import { mintRefreshTokens } from './refresh-tokens.ts';

interface Service {
  readonly started: object;
  readonly answers?: Answers;
}

/** Each in a process of its own, so that what one takes of the processor can be told from what others take. */
const services = {
  async storage(): Promise<Service> {
    const { connectionString } = await startAzurite({ inMemory: true });
    return { started: { connectionString } };
  },

  async vault(): Promise<Service> {
    const { url } = await startKeyVaultEmulator();
    return { started: { url } };
  },

  /** A real one. It rotates refresh tokens, and revokes a grant when one of them is used again. */
  async authorizationServer(): Promise<Service> {
    const server = await startAuthorizationServer({ accessTokenLifeSeconds: 8 * 3600 });
    const mint = (count: number) => mintRefreshTokens(server, count);
    return { started: { tokenUrl: server.endpoints.token, client: server.clients.basic }, answers: { mint } };
  },
};

await serveParent((service: keyof typeof services) => services[service]());
