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

const lookedAtPerItem = 2;

interface Item<Value> {
  readonly value: Value;
  readonly endsAt: number;
}

/** A cache in this process's memory, of bounded size, whose items live for a fixed time. */
export function createMemoryCache<Value>({ maxItems, lifeMs, clock }: MemoryCacheOptions): Cache<Value> {
  const items = new LRUCache<string, Item<Value>>({ max: maxItems });
  let clearedAt = Number.NEGATIVE_INFINITY;
  /** An end that is further off than a whole life comes of a clock that has been put right since. */
  const isAlive = ({ endsAt }: Item<Value>): boolean => {
    const leftMs = endsAt - clock.now();
    return leftMs > 0 && leftMs <= lifeMs;
  };

  /** What has lapsed is not to stay in memory until there are `maxItems`: each new item sees to two old ones. */
  function dropLapsed(): void {
    for (let looked = 0; looked < lookedAtPerItem; looked += 1) {
      const [key] = items.rkeys();
      const item = key === undefined ? undefined : items.peek(key);
      if (key === undefined || item === undefined || isAlive(item)) return;
      items.delete(key);
    }
  }

  return {
    get(key) {
      const item = items.get(key);
      if (item === undefined) return undefined;
      if (isAlive(item)) return item.value;
      items.delete(key);
      return undefined;
    },
    set(key, value, since) {
      if (lifeMs === 0 || (since !== undefined && since <= clearedAt)) return;
      dropLapsed();
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
