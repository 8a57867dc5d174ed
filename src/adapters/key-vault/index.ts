import type { PipelinePolicy } from '@azure/core-rest-pipeline';
import type { TokenCredential } from '@azure/identity';
import { SecretClient, type SecretClientOptions, type SecretProperties } from '@azure/keyvault-secrets';
import { BrokerError } from '../../domain/errors.ts';
import { Secret } from '../../domain/secret.ts';
import type { Clock } from '../../ports/clock.ts';
import type { SecretVault } from '../../ports/secret-vault.ts';
import { createLoopbackTransport, isLoopback, loopbackCredential, loopbackVaultUrl } from './loopback-transport.ts';
import { createSecretCache } from './secret-cache.ts';
import { createVaultCall, type VaultCall } from './vault-calls.ts';

export interface KeyVaultOptions {
  readonly url: string;
  /** Needed for https; an emulator on loopback takes none. */
  readonly credential?: TokenCredential | undefined;
  /** Allows http on this machine's own addresses. Default false. */
  readonly allowInsecureLoopback?: boolean;
  readonly clock: Clock;
  /** How long one call may take. Default 5 s. */
  readonly timeoutMs?: number;
  /** How long a client secret is served without asking the vault. Default 10 minutes. */
  readonly freshMs?: number;
  /** How long it is served while the vault is down. Default 24 hours. */
  readonly staleMs?: number;
}

export interface KeyVault {
  readonly vault: SecretVault;
  /**
   * Every enabled version of a secret, the newest first. Resolves to none where there is none. Throws
   * `vault_unavailable`.
   */
  loadEncryptionKeys(secretName: string): Promise<readonly Secret[]>;
  /** Whether the vault answers. Never throws. */
  isReachable(): Promise<boolean>;
}

/** Azure Key Vault. Throws `misconfigured` for an address that secrets must not be sent to. */
export function createKeyVault(options: KeyVaultOptions): KeyVault {
  const { clock, timeoutMs = 5000, freshMs = 10 * 60_000, staleMs = 24 * 60 * 60_000 } = options;
  const client = createClient(options);
  const call = createVaultCall({ clock, timeoutMs });

  const cache = createSecretCache({
    clock,
    freshMs,
    staleMs,
    read: (name) =>
      call<Secret | undefined>(
        'read a secret',
        async (callOptions) => toSecret((await client.getSecret(name, callOptions)).value),
        { 404: undefined },
      ),
  });

  let introduction: Promise<unknown> | undefined;
  /**
   * A client sends its first request without its body, to be told where to authenticate. Of several at the same time
   * the SDK may forget whose body that was, so a read goes before the first write.
   */
  function introduced(): Promise<unknown> {
    introduction ??= ask().catch((error: unknown) => {
      introduction = undefined;
      throw error;
    });
    return introduction;
  }

  /** Asks for a secret that nobody keeps. */
  const ask = () =>
    call<unknown>('ask', (callOptions) => client.getSecret('bowline-health', callOptions), { 404: undefined });

  return {
    vault: {
      async put(name, value, tags) {
        await introduced();
        await call('set a secret', (callOptions) =>
          client.setSecret(name, value.reveal(), { ...callOptions, tags: { ...tags } }),
        );
        cache.set(name, value);
      },
      get: (name, { fresh = false } = {}) => cache.get(name, { fresh }),
      async remove(name) {
        // The vault finishes by itself: the poller is not followed.
        await call<unknown>('delete a secret', (callOptions) => client.beginDeleteSecret(name, callOptions), {
          404: null,
        });
        cache.delete(name);
      },
    },
    loadEncryptionKeys: (secretName) => loadVersions(client, call, secretName, clock.now()),
    async isReachable() {
      try {
        await ask();
        return true;
      } catch {
        return false;
      }
    },
  };
}

/** The SDK stumbles over an error without a JSON body, as gateways on the way send it: it is given an empty one. */
const readableErrorsPolicy: PipelinePolicy = {
  name: 'readableErrors',
  async sendRequest(request, next) {
    const response = await next(request);
    const isReadable = response.status < 400 || /^\s*\{/.test(response.bodyAsText ?? '');
    return isReadable ? response : { ...response, bodyAsText: '{}' };
  },
};

function createClient({ url, credential, allowInsecureLoopback = false }: KeyVaultOptions): SecretClient {
  const address = new URL(url);
  // `createVaultCall` decides what is tried again.
  const common: SecretClientOptions = {
    retryOptions: { maxRetries: 0 },
    additionalPolicies: [{ policy: readableErrorsPolicy, position: 'perCall' }],
  };
  if (address.protocol === 'https:') {
    if (credential === undefined) throw refused('needs a credential');
    return new SecretClient(url, credential, common);
  }
  if (address.protocol !== 'http:' || !isLoopback(address) || !allowInsecureLoopback) throw refused('is not https');
  const httpClient = createLoopbackTransport(address.origin);
  return new SecretClient(loopbackVaultUrl, loopbackCredential, { ...common, httpClient });
}

function refused(reason: string): BrokerError {
  return new BrokerError('misconfigured', 'The key vault is not configured correctly.', {
    detail: `the address of the key vault ${reason}`,
  });
}

function loadVersions(client: SecretClient, call: VaultCall, name: string, now: number): Promise<readonly Secret[]> {
  return call('load the encryption keys', async (options) => {
    const versions: SecretProperties[] = [];
    for await (const version of client.listPropertiesOfSecretVersions(name, options)) {
      const isUsable = version.enabled !== false && (version.notBefore?.getTime() ?? 0) <= now;
      if (isUsable) versions.push(version);
    }
    const sorted = versions.toSorted((a, b) => createdMs(b) - createdMs(a));
    const [first, second] = sorted;
    const isTie = first !== undefined && second !== undefined && createdMs(first) === createdMs(second);
    const current = isTie ? (await client.getSecret(name, options)).properties.version : first?.version;
    const ids = sorted.map(({ version }) => version).filter((version) => version !== undefined);
    // Times have whole seconds only: of two versions of the same second, the vault knows which is newer.
    const ordered = ids.toSorted((a, b) => Number(b === current) - Number(a === current));
    const secrets = await Promise.all(ordered.map((version) => client.getSecret(name, { ...options, version })));
    return secrets.map(({ value }) => toSecret(value)).filter((secret) => secret !== undefined);
  });
}

function createdMs({ createdOn }: SecretProperties): number {
  return createdOn?.getTime() ?? 0;
}

function toSecret(text: string | undefined): Secret | undefined {
  return text === undefined ? undefined : new Secret(text);
}
