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

/** A cache in this process's memory, of bounded size, whose items live for a fixed time after they were set. */
export function createMemoryCache<Value>({ maxItems, lifeMs, clock }: MemoryCacheOptions): Cache<Value> {
  const items = new LRUCache<string, Item<Value>>({ max: maxItems });
  return {
    get(key) {
      const item = items.get(key);
      if (item === undefined) return undefined;
      if (clock.now() < item.endsAt) return item.value;
      items.delete(key);
      return undefined;
    },
    set(key, value) {
      if (lifeMs > 0) items.set(key, { value, endsAt: clock.now() + lifeMs });
    },
    delete(key) {
      items.delete(key);
    },
    clear() {
      items.clear();
    },
  };
}
