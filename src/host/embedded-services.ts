import { knownProviders } from '../providers/known-providers.ts';
import { standIns } from '../providers/stand-ins/stand-ins.ts';
import type { Home } from './home.ts';
import type { HomeState } from './home-state.ts';
import { startAzurite } from './services/azurite/index.ts';
import { type DemoProvider, startDemoProvider } from './services/demo-provider/index.ts';
import { startKeyVaultEmulator } from './services/key-vault/index.ts';
import { type MockProviders, startMockProviders } from './services/mock-providers/index.ts';

export interface EmbeddedServices {
  readonly connectionString: string;
  readonly vaultUrl: string;
  readonly demoProvider: DemoProvider;
  /** Null: the catalogue is the real one. */
  readonly mockProviders: MockProviders | null;
  readonly ports: NonNullable<HomeState['ports']>;
  stop(): Promise<void>;
}

/**
 * Starts storage, vault and the demo authorization server on the home's data, on the ports of the first start, and
 * stand-ins for the catalogue's providers where they are wanted.
 * Throws `StartFailure`, with what was started stopped again.
 */
export async function startEmbeddedServices(
  home: Home,
  callbackPrefix: () => string | null,
  options: { readonly mockProviders: boolean },
): Promise<EmbeddedServices> {
  const started: { stop(): Promise<void> }[] = [];
  const keep = <T extends { stop(): Promise<void> }>(service: T): T => {
    started.push(service);
    return service;
  };
  const stop = async (): Promise<void> => {
    for (const service of started.splice(0).reverse()) await service.stop();
  };
  const { ports } = home.state;
  try {
    const azurite = keep(
      await startAzurite({
        folder: home.path('storage'),
        tablePort: ports?.table ?? 0,
        queuePort: ports?.queue ?? 0,
      }),
    );
    const vault = keep(await startKeyVaultEmulator({ statePath: home.path('vault'), port: ports?.vault ?? 0 }));
    const demoProvider = keep(
      await startDemoProvider({
        folder: home.path('demoProvider'),
        port: ports?.demo_provider ?? 0,
        callbackPrefix,
      }),
    );
    const mockProviders = options.mockProviders
      ? keep(
          await startMockProviders({
            catalogue: knownProviders,
            standIns,
            port: ports?.mock_providers ?? 0,
            callbackPrefix,
          }),
        )
      : null;
    const mockPort = mockProviders?.port ?? ports?.mock_providers;
    return {
      connectionString: azurite.connectionString,
      vaultUrl: vault.url,
      demoProvider,
      mockProviders,
      ports: {
        table: azurite.tablePort,
        queue: azurite.queuePort,
        vault: vault.port,
        demo_provider: demoProvider.port,
        ...(mockPort !== undefined && { mock_providers: mockPort }),
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
