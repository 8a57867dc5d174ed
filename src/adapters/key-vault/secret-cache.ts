import { LRUCache } from 'lru-cache';
import { hasCode } from '../../domain/errors.ts';
import type { Secret } from '../../domain/secret.ts';
import type { Clock } from '../../ports/clock.ts';

export interface SecretCacheOptions {
  readonly clock: Pick<Clock, 'now'>;
  /** Reads the vault. */
  readonly read: (name: string) => Promise<Secret | undefined>;
  /** How long a secret is served without asking. */
  readonly freshMs: number;
  /** How long it is served while the vault is down. */
  readonly staleMs: number;
}

export interface SecretCache {
  get(name: string, options: { readonly fresh: boolean }): Promise<Secret | undefined>;
  set(name: string, value: Secret): void;
  delete(name: string): void;
}

interface Item {
  readonly value: Secret;
  readonly readAt: number;
}

const maxItems = 10_000;
/** While the vault is down, only so often is somebody made to wait for it who could be served from memory. */
const askAgainMs = 30_000;
/** A provider that rejects many at once must not have the vault asked as often. */
const rereadMs = 30_000;

/** Client secrets in this process's memory. Concurrent reads of one name share a call. */
export function createSecretCache({ clock, read, freshMs, staleMs }: SecretCacheOptions): SecretCache {
  const items = new LRUCache<string, Item>({ max: maxItems });
  const flights = new Map<string, Promise<Secret | undefined>>();
  const rereadAt = new LRUCache<string, number>({ max: maxItems });
  let failedAt = Number.NEGATIVE_INFINITY;

  async function readAndKeep(name: string): Promise<Secret | undefined> {
    try {
      const value = await read(name);
      if (value === undefined) items.delete(name);
      else items.set(name, { value, readAt: clock.now() });
      failedAt = Number.NEGATIVE_INFINITY;
      return value;
    } catch (error) {
      if (hasCode(error, 'vault_unavailable')) failedAt = clock.now();
      throw error;
    } finally {
      flights.delete(name);
    }
  }

  function ask(name: string): Promise<Secret | undefined> {
    const flight = flights.get(name) ?? readAndKeep(name);
    flights.set(name, flight);
    return flight;
  }

  return {
    async get(name, { fresh }) {
      const item = items.get(name);
      if (fresh && item !== undefined && clock.now() - (rereadAt.get(name) ?? 0) < rereadMs) return item.value;
      if (fresh) {
        const value = await ask(name);
        rereadAt.set(name, clock.now());
        return value;
      }
      const ageMs = item === undefined ? Number.POSITIVE_INFINITY : clock.now() - item.readAt;
      if (item === undefined || ageMs >= staleMs) return ask(name);
      if (ageMs < freshMs || clock.now() - failedAt < askAgainMs) return item.value;
      try {
        return await ask(name);
      } catch (error) {
        if (hasCode(error, 'vault_unavailable')) return item.value;
        throw error;
      }
    },
    set(name, value) {
      items.set(name, { value, readAt: clock.now() });
    },
    delete(name) {
      items.delete(name);
    },
  };
}
