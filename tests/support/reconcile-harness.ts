import type { AzureTables } from '../../src/adapters/azure-tables/index.ts';
import { systemDigest } from '../../src/adapters/system/system-digest.ts';
import { createSystemRandom } from '../../src/adapters/system/system-random.ts';
import { sweepAt } from '../../src/domain/due.ts';
import type { Grant, GrantKey } from '../../src/domain/grant.ts';
import type { DueEntry } from '../../src/ports/due-index.ts';
import type { LogFields, Logger } from '../../src/ports/logger.ts';
import { createIndexedStores } from '../../src/usecases/refresh/indexed-stores.ts';
import { createReconcile, type ReconcileRun } from '../../src/usecases/refresh/reconcile.ts';
import { collect } from './collect.ts';
import { createTablesHarness, type TablesHarness } from './tables-harness.ts';
import { acme, globex, ownKey, sampleConnection, sampleGrant, sampleTokens } from './tables-samples.ts';
import { createTestClock, type TestClock } from './test-clock.ts';

type StoreParts = Partial<Omit<AzureTables, 'createTables' | 'isReachable'>>;

/** The reconcile on storage of its own. */
export interface ReconcileHarness {
  readonly tables: TablesHarness;
  readonly stores: AzureTables;
  readonly clock: TestClock;
  readonly logged: readonly {
    readonly level: string;
    readonly event: string;
    readonly fields: LogFields | undefined;
  }[];
  /** A run as one process makes it, parts of its storage replaced. */
  run(parts?: StoreParts, budgetMs?: number): Promise<ReconcileRun | undefined>;
  /** The stores as the use cases have them, which keep the index in step. */
  indexed(): ReturnType<typeof createIndexedStores>;
  inHours(hours: number): number;
  /** A grant that is due in some hours. */
  due(hours: number, changes?: Partial<Grant>): Grant;
  /** Writes connections without telling the index. */
  createOwn(count: number): Promise<readonly [GrantKey, ...GrantKey[]]>;
  /** Writes a user's grant without telling the index. */
  createUser(key: GrantKey, grant: Grant): Promise<GrantKey>;
  /** What the index holds, each as `nameOf` has it. */
  entries(): Promise<readonly string[]>;
  /** What the index should hold, by the grants themselves. */
  wanted(): Promise<readonly string[]>;
}

export function nameOf({ key, at }: Pick<DueEntry, 'key' | 'at'>): string {
  return [key.org, key.connection, key.userId ?? '', at].join(' ');
}

export async function createReconcileHarness(): Promise<ReconcileHarness> {
  const tables = await createTablesHarness();
  const { stores } = tables;
  const clock = createTestClock();
  const random = createSystemRandom();
  const logged: { level: string; event: string; fields: LogFields | undefined }[] = [];
  const log = (level: string) => (event: string, fields?: LogFields) => void logged.push({ level, event, fields });
  const logger: Logger = { info: log('info'), warn: log('warn'), error: log('error') };
  const outsideWith = (parts: StoreParts) => ({
    ...stores,
    clock,
    random,
    digest: systemDigest,
    logger,
    policy: { auditRetentionDays: 400, jobRetentionDays: 30 },
    audit: { note: async () => {} },
    ...parts,
  });
  const inHours = (hours: number) => clock.now() + Math.round(hours * 3_600_000);
  const due: ReconcileHarness['due'] = (hours, changes) =>
    sampleGrant({ dueAt: inHours(hours), failure: null, pending: null, lastRefreshAt: clock.now(), ...changes });

  return {
    tables,
    stores,
    clock,
    logged,
    run: (parts = {}, budgetMs) => {
      const outside = outsideWith(parts);
      const options = budgetMs === undefined ? {} : { budgetMs };
      return createReconcile({ ...outside, ...createIndexedStores(outside) }, options)();
    },
    indexed: () => createIndexedStores(outsideWith({})),
    inHours,
    due,
    async createOwn(count) {
      const all = Array.from({ length: count }, (_, i) => sampleConnection(`c${i}`, i % 2 === 0 ? acme : globex));
      await Promise.all(all.map((each, i) => stores.connections.create(each, due(2 + i / 10), sampleTokens())));
      const [first, ...others] = all.map(ownKey);
      if (first === undefined) throw new Error('none was wanted');
      return [first, ...others];
    },
    async createUser(key, grant) {
      await stores.grants.update(key, () => ({ grant, tokens: sampleTokens() }));
      return key;
    },
    async entries() {
      const pages = await collect(stores.dueIndex.walk(null));
      return pages.flatMap((page) => page.entries.map(nameOf)).sort();
    },
    async wanted() {
      const own = await collect(stores.connections.walkOwn(null));
      const users = await collect(stores.grants.walkUsers(null));
      const all = [
        ...own.flatMap(({ items }) => items.map((each) => each.own)),
        ...users.flatMap(({ items }) => items),
      ];
      const names = all.flatMap(({ key, grant }) => {
        const at = sweepAt(grant);
        return at === null ? [] : [nameOf({ key, at })];
      });
      return names.sort();
    },
  };
}
