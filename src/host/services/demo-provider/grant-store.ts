import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider';

/** One thing that the authorization server remembers, under `Model:id`. */
export interface StoredRecord {
  readonly key: string;
  readonly payload: AdapterPayload;
  /** Milliseconds since the epoch; null: it does not expire. */
  readonly expiresAt: number | null;
}

export type RecordChange = { readonly put: StoredRecord } | { readonly remove: readonly string[] };

export interface GrantStoreOptions {
  readonly records?: Iterable<StoredRecord>;
  /** Called before a change is acknowledged, so that it can be written down. Must be synchronous. */
  readonly onChange?: (change: RecordChange) => void;
  readonly now?: () => number;
}

/**
 * The storage of an oidc-provider, synchronous on purpose: waiting between its reading of a refresh token and its
 * marking it as used would blind its reuse detection.
 */
export function createGrantStore({ records = [], onChange = () => {}, now = Date.now }: GrantStoreOptions = {}): {
  readonly adapter: AdapterFactory;
  all(): StoredRecord[];
} {
  const stored = new Map<string, StoredRecord>();
  for (const record of records) stored.set(record.key, record);

  const live = (record: StoredRecord | undefined): StoredRecord | undefined =>
    record && (record.expiresAt === null || record.expiresAt > now()) ? record : undefined;
  const put = (record: StoredRecord): void => {
    onChange({ put: record });
    stored.set(record.key, record);
  };
  const remove = (keys: readonly string[]): void => {
    if (keys.length === 0) return;
    onChange({ remove: keys });
    for (const key of keys) stored.delete(key);
  };
  const where = (model: string, matches: (payload: AdapterPayload) => boolean): StoredRecord[] =>
    [...stored.values()].filter((record) => record.key.startsWith(`${model}:`) && matches(record.payload));
  const dropLapsed = (): void => remove([...stored.values()].filter((r) => !live(r)).map((r) => r.key));

  let changes = 0;
  const adapter = (model: string): Adapter => ({
    upsert: async (id, payload, expiresIn) => {
      changes += 1;
      if (changes % lapsedCheckEvery === 0) dropLapsed();
      const expiresAt = typeof expiresIn === 'number' ? now() + expiresIn * 1000 : null;
      put({ key: `${model}:${id}`, payload: structuredClone(payload), expiresAt });
    },
    find: async (id) => clone(live(stored.get(`${model}:${id}`))),
    findByUid: async (uid) => clone(live(where(model, (payload) => payload.uid === uid)[0])),
    findByUserCode: async (userCode) => clone(live(where(model, (payload) => payload.userCode === userCode)[0])),
    consume: async (id) => {
      const record = stored.get(`${model}:${id}`);
      if (record) put({ ...record, payload: { ...record.payload, consumed: Math.floor(now() / 1000) } });
    },
    destroy: async (id) => remove([`${model}:${id}`].filter((key) => stored.has(key))),
    revokeByGrantId: async (grantId) =>
      remove(where(model, (payload) => payload.grantId === grantId).map((record) => record.key)),
  });
  return { adapter, all: () => [...stored.values()].filter((record) => live(record)) };
}

/** Bounds the memory that lapsed sessions, codes and access tokens take. */
const lapsedCheckEvery = 500;

function clone(record: StoredRecord | undefined): AdapterPayload | undefined {
  return record && structuredClone(record.payload);
}
