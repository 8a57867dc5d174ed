import { odata, type TableClient, type TableEntity } from '@azure/data-tables';
import { type Columns, checkSizes } from './columns.ts';
import { invalidContinuation, serviceCodeOf, statusOf, toStorageError } from './storage-errors.ts';

/** Where a row lies. */
export interface Place {
  readonly partitionKey: string;
  readonly rowKey: string;
}

/** A row that is to be put in. */
export interface NewRow {
  readonly place: Place;
  readonly columns: Columns;
}

/** A row as it was read or as we wrote it. */
export interface Row extends Place {
  readonly etag: string;
  readonly columns: Columns;
  /** How long ago it was last written when it was read, by storage's clock alone. */
  readonly ageMs: number;
  /** When it was last written, by storage's clock, in milliseconds since the epoch. 0: it was not read. */
  readonly writtenAt: number;
  /** False for a row of a listing: it has no sealed columns, and its age was not measured. */
  readonly isWhole: boolean;
}

export interface RowPage {
  readonly rows: readonly Row[];
  /** The service's own token, or undefined at the end. */
  readonly continuation: string | undefined;
}

export interface Query {
  /** Left out, for sweeps only: all partitions. */
  readonly partitionKey?: string;
  /** A further condition on the rows, already escaped. */
  readonly and?: string;
  /** Left out: all columns. */
  readonly select?: readonly string[];
  readonly pageSize?: number;
  readonly continuation?: string | undefined;
}

/**
 * One table. Every method throws `storage_unavailable` when the service does not answer as it should; after a write,
 * that leaves open whether it was applied. `changed` can be our own success: the SDK repeats a write whose answer it
 * did not get.
 */
export interface Table {
  readonly name: string;
  create(): Promise<void>;
  read(place: Place): Promise<Row | undefined>;
  insert(place: Place, columns: Columns): Promise<Row | 'exists'>;
  /** Inserts up to 100 rows of one partition, all or none. `exists`: one of them is there already, and none was put in. */
  insertAll(rows: readonly NewRow[]): Promise<'inserted' | 'exists'>;
  /** Writes the columns given if the row is still the one that was read. Other columns stay as they are. */
  merge(row: Row, columns: Columns): Promise<Row | 'changed' | 'gone'>;
  /** Inserts or replaces. Only for rows that nobody deletes while they are still written. */
  put(place: Place, columns: Columns): Promise<void>;
  /** Deletes the row if it is still the one that was read. */
  remove(row: Pick<Row, 'partitionKey' | 'rowKey' | 'etag'>): Promise<'removed' | 'changed' | 'gone'>;
  /** One page. The service may end a page early, so only a missing continuation means the end. */
  page(query: Query): Promise<RowPage>;
  pages(query: Query): AsyncIterable<readonly Row[]>;
  /** The rows of all pages: only where they are few. */
  all(query: Query): Promise<readonly Row[]>;
}

interface Answer {
  readonly headers: { get(name: string): string | undefined };
}

const keyColumns = ['partitionKey', 'rowKey', 'timestamp'];

type Call = <Result>(
  operation: string,
  send: (options: { readonly abortSignal: AbortSignal }) => Promise<Result>,
  expected?: Readonly<Record<number, Result>>,
) => Promise<Result>;

/** Wraps a client. Each call ends after `timeoutMs`, the SDK's own repetitions included. */
export function createTable(client: TableClient, { timeoutMs }: { readonly timeoutMs: number }): Table {
  const call = createCall(client.tableName, timeoutMs);
  const page = (query: Query) => readPage(client, call, query);

  async function* pages(query: Query): AsyncGenerator<readonly Row[]> {
    let continuation: string | undefined;
    do {
      const next = await page({ ...query, continuation });
      yield next.rows;
      continuation = next.continuation;
    } while (continuation !== undefined);
  }

  return {
    name: client.tableName,
    page,
    pages,
    create: () => call('create', (options) => client.createTable(options)),
    read: (place) => readRow(client, call, place),
    async insert(place, columns) {
      checkSizes(columns);
      return call<Row | 'exists'>(
        'insert',
        async (options) => {
          const { etag } = await client.createEntity(toEntity(place, columns), options);
          return { ...place, etag: etag ?? '', columns, ageMs: 0, writtenAt: 0, isWhole: true };
        },
        { 409: 'exists' },
      );
    },
    async insertAll(rows) {
      for (const { columns } of rows) checkSizes(columns);
      const actions = rows.map(({ place, columns }) => ['create', toEntity(place, columns)] as ['create', TableEntity]);
      return call<'inserted' | 'exists'>(
        'insert all',
        async (options) => {
          await client.submitTransaction(actions, options);
          return 'inserted';
        },
        { 409: 'exists' },
      );
    },
    async merge(row, columns) {
      const merged = { ...row.columns, ...columns };
      checkSizes(merged);
      return call<Row | 'changed' | 'gone'>(
        'merge',
        async (options) => {
          const { etag } = await client.updateEntity(toEntity(row, columns), 'Merge', { ...options, etag: row.etag });
          return { ...row, etag: etag ?? '', columns: merged, ageMs: 0 };
        },
        { 404: 'gone', 412: 'changed' },
      );
    },
    async put(place, columns) {
      checkSizes(columns);
      await call('put', (options) => client.upsertEntity(toEntity(place, columns), 'Replace', options));
    },
    remove: ({ partitionKey, rowKey, etag }) =>
      call<'removed' | 'changed' | 'gone'>(
        'delete',
        async (options) => {
          await client.deleteEntity(partitionKey, rowKey, { ...options, etag });
          return 'removed';
        },
        { 404: 'gone', 412: 'changed' },
      ),
    async all(query) {
      const rows: Row[] = [];
      for await (const some of pages(query)) rows.push(...some);
      return rows;
    },
  };
}

/** Sends with a time limit. Statuses in `expected` are answers, all others are failures. */
function createCall(name: string, timeoutMs: number): Call {
  return async (operation, send, expected = {}) => {
    try {
      return await send({ abortSignal: AbortSignal.timeout(timeoutMs) });
    } catch (error) {
      const status = statusOf(error);
      const isTableMissing = serviceCodeOf(error) === 'TableNotFound';
      if (status !== undefined && status in expected && !isTableMissing) return expected[status] as never;
      throw toStorageError(error, `${operation} ${name}`);
    }
  };
}

function readRow(client: TableClient, call: Call, { partitionKey, rowKey }: Place): Promise<Row | undefined> {
  return call<Row | undefined>(
    'read',
    async (options) => {
      let dateHeader: string | undefined;
      const onResponse = (answer: Answer) => {
        dateHeader = answer.headers.get('date');
      };
      const entity = await client.getEntity(partitionKey, rowKey, { ...options, onResponse });
      return toRow(entity, { ageMs: ageMs(dateHeader, entity.timestamp), isWhole: true });
    },
    { 404: undefined },
  );
}

async function readPage(client: TableClient, call: Call, query: Query): Promise<RowPage> {
  const { partitionKey, and, select, pageSize, continuation } = query;
  const partition = partitionKey === undefined ? undefined : odata`PartitionKey eq ${partitionKey}`;
  const filter = [partition, and].filter((part) => part !== undefined).join(' and ');
  const queryOptions = {
    ...(filter === '' ? {} : { filter }),
    ...(select === undefined ? {} : { select: [...keyColumns, ...select] }),
  };
  const answer = await call<RowPage | 'refused'>(
    'query',
    async (options) => {
      const iterator = client.listEntities({ ...options, queryOptions }).byPage({
        ...(pageSize === undefined ? {} : { maxPageSize: pageSize }),
        ...(continuation === undefined ? {} : { continuationToken: continuation }),
      });
      const { value } = await iterator.next();
      const entities = [...(value ?? [])].map((entity) => toRow(entity, { ageMs: 0, isWhole: select === undefined }));
      const rows = entities.filter((row) => partitionKey === undefined || row.partitionKey === partitionKey);
      return { rows, continuation: value?.continuationToken };
    },
    continuation === undefined ? {} : { 400: 'refused' },
  );
  if (answer === 'refused') throw invalidContinuation();
  return answer;
}

function toEntity({ partitionKey, rowKey }: Place, columns: Columns): TableEntity {
  return { ...columns, partitionKey, rowKey };
}

function toRow(entity: Readonly<Record<string, unknown>>, about: Pick<Row, 'ageMs' | 'isWhole'>): Row {
  const { partitionKey, rowKey, etag, timestamp, 'odata.metadata': _metadata, ...columns } = entity;
  return {
    partitionKey: String(partitionKey),
    rowKey: String(rowKey),
    etag: String(etag),
    columns: columns as Columns,
    writtenAt: Date.parse(String(timestamp)) || 0,
    ...about,
  };
}

/** `Date` is cut to the second, so that a row never looks older than it is. Without one it looks new. */
function ageMs(dateHeader: string | undefined, timestamp: string | undefined): number {
  const age = Date.parse(dateHeader ?? '') - Date.parse(timestamp ?? '');
  return Number.isNaN(age) ? 0 : Math.max(0, age);
}
