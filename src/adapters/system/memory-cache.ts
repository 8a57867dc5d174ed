import { LRUCache } from 'lru-cache';
import type { Cache } from '../../ports/cache.ts';
import type { Clock } from '../../ports/clock.ts';

export interface MemoryCacheOptions {
  /** Beyond that, what was used longest ago is forgotten. */
  readonly maxItems: number;
  /** 0 remembers nothing. */
  readonly lifeMs: number;
  readonly clock: Pick<Clock, 'now'>;
}

interface Item<Value> {
  readonly value: Value;
  readonly endsAt: number;
}

/** A cache in this process's memory, of bounded size, whose items live for a fixed time. */
export function createMemoryCache<Value>({ maxItems, lifeMs, clock }: MemoryCacheOptions): Cache<Value> {
  const items = new LRUCache<string, Item<Value>>({ max: maxItems });
  let clearedAt = Number.NEGATIVE_INFINITY;
  return {
    get(key) {
      const item = items.get(key);
      if (item === undefined) return undefined;
      if (clock.now() < item.endsAt) return item.value;
      items.delete(key);
      return undefined;
    },
    set(key, value, since) {
      if (lifeMs === 0 || (since !== undefined && since <= clearedAt)) return;
      items.set(key, { value, endsAt: (since ?? clock.now()) + lifeMs });
    },
    delete(key) {
      items.delete(key);
    },
    clear() {
      clearedAt = clock.now();
      items.clear();
    },
  };
}
