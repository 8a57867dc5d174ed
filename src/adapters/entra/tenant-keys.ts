import { type CryptoKey, importJWK, type JWK } from 'jose';
import { z } from 'zod';
import { BrokerError } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';

export interface TenantKeysOptions {
  /** The guarded client. */
  readonly fetch: typeof fetch;
  readonly clock: Pick<Clock, 'now'>;
  /** Where the keys are: an origin. */
  readonly authority: string;
  readonly onKeysNotLoaded: (cause: unknown) => void;
}

export interface TenantKeys {
  /**
   * The key of that id with which a tenant signs. Undefined: the tenant has no such key. Throws
   * `identity_keys_unavailable` when it is not known and the tenant's keys cannot be read.
   */
  find(tenantId: string, keyId: string): Promise<CryptoKey | undefined>;
}

type Keys = ReadonlyMap<string, CryptoKey>;

interface Tenant {
  keys: Keys;
  loadedAt: number;
  triedAt: number;
  isLastTryGood: boolean;
  loading: Promise<void> | undefined;
}

/** A key that is withdrawn is taken no longer than this, while the endpoint answers. */
const freshMs = 3_600_000;
/** While it does not answer, keys are kept so long. */
const keptMs = 24 * 3_600_000;
/** How often keys that are known are tried to be read anew. */
const renewalPauseMs = 5 * 60_000;
/** How often a key that is not known makes us look: whoever invents key ids causes two requests a minute. */
const searchPauseMs = 30_000;

const keySet = z.object({ keys: z.array(z.looseObject({ kid: z.string(), kty: z.string() })).max(100) });

/** The signing keys of tenants, fetched when needed, at bounded rates, and kept while their endpoint is down. */
export function createTenantKeys(options: TenantKeysOptions): TenantKeys {
  const { clock } = options;
  const tenants = new Map<string, Tenant>();

  return {
    async find(tenantId, keyId) {
      const tenant = tenants.get(tenantId) ?? newTenant();
      tenants.set(tenantId, tenant);
      const key = keyOf(tenant, keyId, clock.now());
      if (key !== undefined && apart(clock.now(), tenant.loadedAt) < freshMs) return key;
      if (apart(clock.now(), tenant.triedAt) >= (key === undefined ? searchPauseMs : renewalPauseMs)) {
        tenant.triedAt = clock.now();
        tenant.loading = load(options, tenantId, tenant);
        await tenant.loading;
      } else if (key === undefined) {
        await tenant.loading;
      }
      const found = keyOf(tenant, keyId, clock.now());
      if (found !== undefined || tenant.isLastTryGood) return found;
      throw keysUnavailable((tenant.triedAt + searchPauseMs - clock.now()) / 1000);
    },
  };
}

function newTenant(): Tenant {
  const never = Number.NEGATIVE_INFINITY;
  return { keys: new Map(), loadedAt: never, triedAt: never, isLastTryGood: false, loading: undefined };
}

function keyOf({ keys, loadedAt }: Tenant, keyId: string, now: number): CryptoKey | undefined {
  return apart(now, loadedAt) < keptMs ? keys.get(keyId) : undefined;
}

/** Either way: a clock that was ahead and is put right must not make a pause last for hours. */
function apart(one: number, other: number): number {
  return Math.abs(one - other);
}

/** Never rejects: what was known stays where nothing new came. */
async function load(options: TenantKeysOptions, tenantId: string, tenant: Tenant): Promise<void> {
  try {
    tenant.keys = await fetchKeys(options, tenantId);
    tenant.loadedAt = tenant.triedAt;
    tenant.isLastTryGood = true;
  } catch (cause) {
    tenant.isLastTryGood = false;
    options.onKeysNotLoaded(cause);
  }
}

async function fetchKeys({ fetch, authority }: TenantKeysOptions, tenantId: string): Promise<Keys> {
  const answer = await fetch(`${authority}/${tenantId}/discovery/v2.0/keys`, { redirect: 'manual' });
  if (answer.status !== 200) throw new Error(`the keys of ${tenantId}: status ${answer.status}`);
  const { keys } = keySet.parse(await answer.json());
  const imported = await Promise.all(keys.filter((jwk) => isSigningKey(jwk, tenantId)).map(importKey));
  const usable = new Map(imported.filter((entry) => entry !== undefined));
  if (usable.size === 0) throw new Error(`the keys of ${tenantId}: none is usable`);
  return usable;
}

/** Entra writes to a key whose tokens it signs: `{tenantid}` stands for every tenant. */
function isSigningKey({ kty, use, issuer }: Readonly<Record<string, unknown>>, tenantId: string): boolean {
  const isForTenant = typeof issuer !== 'string' || issuer.includes('{tenantid}') || issuer.includes(tenantId);
  return kty === 'RSA' && (use === undefined || use === 'sig') && isForTenant;
}

/** One key that cannot be read must not hide the others. */
async function importKey(jwk: JWK): Promise<readonly [string, CryptoKey] | undefined> {
  const { kid = '', kty = '', n = '', e = '' } = jwk;
  try {
    return [kid, (await importJWK({ kty, n, e } as JWK, 'RS256')) as CryptoKey];
  } catch {
    return undefined;
  }
}

function keysUnavailable(retryAfterSeconds: number): BrokerError {
  return new BrokerError('identity_keys_unavailable', 'The token cannot be checked at the moment. Try again shortly.', {
    retryAfterSeconds: Math.max(1, retryAfterSeconds),
  });
}
