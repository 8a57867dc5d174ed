import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { damagedFile, readVersionedJson, writeJsonAtomically } from './json-file.ts';

const schemaVersion = 1;
const port = z.int().min(1).max(65_535);

const homeStateSchema = z.object({
  schema_version: z.literal(schemaVersion),
  master_key: z.string().min(32),
  /** The first administrator's whole API key. */
  admin_key: z.string().regex(/^bwl_[0-9a-f]+_[A-Za-z0-9_-]{43}$/),
  /** Of the embedded services, once they have run: stored addresses have them. */
  ports: z
    .object({ table: port, queue: port, vault: port, demo_provider: port, mock_providers: port.optional() })
    .nullable(),
  /** The name under which the vault was given an encryption key. A vault without it would then have lost it. */
  encryption_key_secret: z.string().nullable(),
});

export type HomeState = z.infer<typeof homeStateSchema>;

/**
 * Reads a home's state, or makes a new one and writes it down. Throws `StartFailure` when it is damaged, newer than
 * this program, or missing although the home has data.
 */
export function loadHomeState(path: string, { hasData }: { readonly hasData: boolean }): HomeState {
  const parse = (value: unknown) => homeStateSchema.safeParse(value).data ?? null;
  const kept = readVersionedJson({ path, schemaVersion, parse });
  if (kept !== null) return kept;
  if (hasData) throw damagedFile(path, 'is missing');
  const made: HomeState = {
    schema_version: schemaVersion,
    master_key: randomBytes(32).toString('base64url'),
    admin_key: `bwl_${randomBytes(8).toString('hex')}_${randomBytes(32).toString('base64url')}`,
    ports: null,
    encryption_key_secret: null,
  };
  saveHomeState(path, made);
  return made;
}

export function saveHomeState(path: string, state: HomeState): void {
  writeJsonAtomically(path, state);
}
