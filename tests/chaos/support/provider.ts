import type { AdapterFactory } from 'oidc-provider';
import { createGrantStore } from '../../../src/host/services/demo-provider/grant-store.ts';
import { type AuthorizationServer, startAuthorizationServer } from '../../support/authorization-server.ts';
import type { History } from './history.ts';
import { createLedger, type Ledger } from './ledger.ts';
import { type RecordingProxy, startRecordingProxy } from './recording-proxy.ts';
import type { SeededRandom } from './seeded-random.ts';

/**
 * How a provider treats refresh tokens. `strict`: each is good once, and using one again revokes the whole grant.
 * `overlap`: each refresh gives a new one, and the old one stays valid. `steady`: the same one for ever.
 */
export const providerClasses = ['strict', 'overlap', 'steady'] as const;
export type ProviderClass = (typeof providerClasses)[number];

export interface Provider {
  readonly kind: ProviderClass;
  readonly server: AuthorizationServer;
  /** In front of the token endpoint; people's browsers go past it. */
  readonly proxy: RecordingProxy;
  readonly tokenUrl: string;
  readonly revocationUrl: string;
  readonly ledger: Ledger;
  /** A refresh token of a new grant of an account, without the code flow. */
  mint(account: string): Promise<string>;
  stop(): Promise<void>;
}

export interface ProviderOptions {
  readonly kind: ProviderClass;
  /** In the history. */
  readonly name: string;
  readonly history: History;
  readonly random: SeededRandom;
  /** Default: ten minutes, shorter than a sweep takes to come by. */
  readonly accessTokenLifeSeconds?: number;
}

const scope = 'openid offline_access read';

/** A real authorization server of a class, behind a proxy. */
export async function startProvider(options: ProviderOptions): Promise<Provider> {
  const { kind, name, history, random, accessTokenLifeSeconds = 600 } = options;
  const server = await startAuthorizationServer({
    rotate: kind !== 'steady',
    accessTokenLifeSeconds,
    ...(kind === 'overlap' && { configuration: { adapter: withoutConsumption() } }),
  });
  const proxy = await startRecordingProxy({ name: `provider-${name}`, target: server.issuer, history, random });
  const ledger = createLedger(proxy, history);
  return {
    kind,
    server,
    proxy,
    ledger,
    tokenUrl: `${proxy.origin}/token`,
    revocationUrl: `${proxy.origin}/token/revocation`,
    mint: async (account) => {
      const refreshToken = await mint(server, account);
      ledger.given(refreshToken, account);
      return refreshToken;
    },
    stop: async () => {
      await proxy.stop();
      await server.stop();
    },
  };
}

/** Refresh tokens are never marked as used, so that an old one is as good as a new one. */
function withoutConsumption(): AdapterFactory {
  const { adapter } = createGrantStore();
  return (model) => (model === 'RefreshToken' ? { ...adapter(model), consume: async () => {} } : adapter(model));
}

async function mint({ provider, clients }: AuthorizationServer, account: string): Promise<string> {
  const client = await provider.Client.find(clients.basic.clientId);
  if (client === undefined) throw new Error('the client of the tests is missing');
  const grant = new provider.Grant({ clientId: client.clientId, accountId: account });
  grant.addOIDCScope(scope);
  const grantId = await grant.save();
  const refreshToken = new provider.RefreshToken({
    client,
    accountId: account,
    grantId,
    scope,
    gty: 'authorization_code',
    expiresWithSession: false,
  });
  return refreshToken.save();
}
