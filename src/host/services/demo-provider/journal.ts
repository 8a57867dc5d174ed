import { appendFileSync } from 'node:fs';
import type { AdapterFactory } from 'oidc-provider';
import { z } from 'zod';
import { damagedFile, parseJson, privateFileMode, readTextIfAny, writeFileAtomically } from '../../json-file.ts';
import { StartFailure } from '../../start-failure.ts';
import { createGrantStore, type RecordChange, type StoredRecord } from './grant-store.ts';

const schemaVersion = 1;
/** Rewriting the file costs more than a line; below this many lines it is not worth it. */
const minLinesBeforeCompaction = 2000;

const recordSchema = z.object({
  key: z.string(),
  payload: z.looseObject({}),
  expiresAt: z.number().nullable(),
});
const headerSchema = z.object({ schema_version: z.number() });
const changeSchema = z.union([z.object({ put: recordSchema }), z.object({ remove: z.array(z.string()) })]);

/**
 * An oidc-provider's storage that outlives the process: each change is one line, written before it is acknowledged,
 * so that a refresh token that was given out is known after a crash. A last line that a crash tore is dropped: nobody
 * was told of it. Throws `StartFailure` when another line is damaged or the file is newer than this program.
 */
export function openJournal(path: string): { readonly adapter: AdapterFactory } {
  let lines = 0;
  const append = (change: RecordChange): void => {
    appendFileSync(path, `${JSON.stringify(change)}\n`, { mode: privateFileMode });
    lines += 1;
  };
  const store = createGrantStore({
    records: readRecords(path),
    onChange: (change) => {
      if (lines > minLinesBeforeCompaction) compact();
      append(change);
    },
  });
  const compact = (): void => {
    const header = JSON.stringify({ schema_version: schemaVersion });
    const records = store.all().map((put) => JSON.stringify({ put }));
    writeFileAtomically(path, `${[header, ...records].join('\n')}\n`);
    // Counts from the records on, so that many of them do not make every change a rewrite.
    lines = 0;
  };
  compact();
  return { adapter: store.adapter };
}

function readRecords(path: string): StoredRecord[] {
  const text = readTextIfAny(path);
  if (text === null) return [];
  const [header = '', ...lines] = text.split('\n').slice(0, -1);
  const version = headerSchema.safeParse(parseJson(header)).data?.schema_version;
  if (version === undefined) throw damagedFile(path);
  if (version > schemaVersion)
    throw new StartFailure(`${path} was written by a newer Bowline. Use that one, or another BOWLINE_HOME.`);
  const records = new Map<string, StoredRecord>();
  for (const line of lines) {
    const change = changeSchema.safeParse(parseJson(line)).data;
    if (!change) throw damagedFile(path);
    if ('put' in change) records.set(change.put.key, change.put);
    else for (const key of change.remove) records.delete(key);
  }
  return [...records.values()];
}
