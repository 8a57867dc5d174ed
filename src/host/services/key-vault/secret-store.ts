import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { readVersionedJson, writeJsonAtomically } from '../../json-file.ts';
import { badParameter, secretNotFound, VaultError } from './vault-error.ts';

const schemaVersion = 1;
/** Limits of the service. */
const maxValueBytes = 25 * 1024;
const namePattern = /^[0-9a-zA-Z-]{1,127}$/;
const recoverableDays = 90;
const secondsPerDay = 86_400;

/** What a caller may say about a version. Times are Unix seconds. */
const attributesSchema = z.object({
  enabled: z.boolean().exactOptional(),
  nbf: z.number().exactOptional(),
  exp: z.number().exactOptional(),
});
const changesSchema = z.object({
  contentType: z.string().exactOptional(),
  tags: z.record(z.string(), z.string()).exactOptional(),
  attributes: attributesSchema.exactOptional(),
});
const newVersionSchema = changesSchema.extend({ value: z.string() });

const versionSchema = z.object({
  version: z.string(),
  value: z.string(),
  contentType: z.string().optional(),
  tags: z.record(z.string(), z.string()).optional(),
  enabled: z.boolean(),
  nbf: z.number().optional(),
  exp: z.number().optional(),
  created: z.number(),
  updated: z.number(),
});
const secretSchema = z.object({
  name: z.string(),
  /** The newest is the last. */
  versions: z.array(versionSchema).min(1),
  deletedDate: z.number().optional(),
  scheduledPurgeDate: z.number().optional(),
});
const fileSchema = z.object({ schema_version: z.literal(schemaVersion), secrets: z.array(secretSchema) });

export type SecretVersion = z.infer<typeof versionSchema>;
export type StoredSecret = z.infer<typeof secretSchema>;
export interface SecretAt {
  readonly secret: StoredSecret;
  readonly version: SecretVersion;
}

/** The vault's secrets, living and deleted, by the service's rules. Every refusal is a `VaultError`. */
export interface SecretStore {
  set(name: string, body: unknown): SecretAt;
  /** The named version, or the newest. */
  get(name: string, version?: string): SecretAt;
  update(name: string, version: string | undefined, body: unknown): SecretAt;
  delete(name: string): SecretAt;
  getDeleted(name: string): SecretAt;
  purge(name: string): void;
  recover(name: string): SecretAt;
  list(state: 'live' | 'deleted'): StoredSecret[];
  versions(name: string): SecretVersion[];
}

export interface SecretStoreOptions {
  readonly statePath: string | undefined;
  readonly nowSeconds: () => number;
}

/** Throws `StartFailure` when the state file is damaged or newer than this program. */
export function openSecretStore({ statePath, nowSeconds }: SecretStoreOptions): SecretStore {
  const secrets = new Map<string, StoredSecret>();
  for (const secret of statePath === undefined ? [] : readState(statePath)) secrets.set(keyOf(secret.name), secret);

  const save = (): void => {
    if (statePath !== undefined) {
      writeJsonAtomically(statePath, { schema_version: schemaVersion, secrets: [...secrets.values()] });
    }
  };
  const find = (name: string, state: 'live' | 'deleted'): StoredSecret => {
    const secret = secrets.get(keyOf(name));
    if (!secret || isDeleted(secret) !== (state === 'deleted')) throw secretNotFound(name);
    return secret;
  };
  const versionOf = (secret: StoredSecret, version?: string): SecretAt => {
    const found = version ? secret.versions.find((one) => one.version === version) : secret.versions.at(-1);
    if (!found) throw secretNotFound(`${secret.name}/${version}`);
    return { secret, version: found };
  };

  return {
    set: (name, body) => {
      if (!namePattern.test(name)) throw badParameter(`The request URI contains an invalid name: ${name}`);
      const { value, ...changes } = parseBody(newVersionSchema, body);
      if (Buffer.byteLength(value) > maxValueBytes) {
        throw badParameter(`The secret's value is larger than ${maxValueBytes} bytes.`);
      }
      const secret = secrets.get(keyOf(name)) ?? { name, versions: [] };
      if (isDeleted(secret)) throw nameInDeletedState(name);
      const now = nowSeconds();
      const version = { version: randomBytes(16).toString('hex'), value, enabled: true, created: now, updated: now };
      secret.versions.push(withChanges(version, changes));
      secrets.set(keyOf(name), secret);
      save();
      return versionOf(secret);
    },
    get: (name, version) => {
      const found = versionOf(find(name, 'live'), version);
      if (found.version.enabled) return found;
      throw new VaultError(403, 'Forbidden', 'Operation get is not allowed on a disabled secret.', 'SecretDisabled');
    },
    update: (name, version, body) => {
      const { secret, version: old } = versionOf(find(name, 'live'), version);
      const changed = { ...withChanges(old, parseBody(changesSchema, body)), updated: nowSeconds() };
      secret.versions[secret.versions.indexOf(old)] = changed;
      save();
      return { secret, version: changed };
    },
    delete: (name) => {
      const secret = find(name, 'live');
      secret.deletedDate = nowSeconds();
      secret.scheduledPurgeDate = secret.deletedDate + recoverableDays * secondsPerDay;
      save();
      return versionOf(secret);
    },
    getDeleted: (name) => versionOf(find(name, 'deleted')),
    purge: (name) => {
      secrets.delete(keyOf(find(name, 'deleted').name));
      save();
    },
    recover: (name) => {
      const secret = find(name, 'deleted');
      delete secret.deletedDate;
      delete secret.scheduledPurgeDate;
      save();
      return versionOf(secret);
    },
    list: (state) => [...secrets.values()].filter((secret) => isDeleted(secret) === (state === 'deleted')),
    versions: (name) => {
      const secret = secrets.get(keyOf(name));
      // In the order of their ids, not of their age: the service promises no order.
      return secret && !isDeleted(secret) ? secret.versions.toSorted((a, b) => (a.version < b.version ? -1 : 1)) : [];
    },
  };
}

/** Part of what the service says of every version. */
export const recovery = { recoveryLevel: 'Recoverable+Purgeable', recoverableDays } as const;

function readState(path: string): StoredSecret[] {
  const parse = (value: unknown) => fileSchema.safeParse(value).data?.secrets ?? null;
  return readVersionedJson({ path, schemaVersion, parse }) ?? [];
}

/** Names differ by more than case. */
function keyOf(name: string): string {
  return name.toLowerCase();
}

function isDeleted(secret: StoredSecret): boolean {
  return secret.deletedDate !== undefined;
}

function withChanges(version: SecretVersion, changes: z.infer<typeof changesSchema>): SecretVersion {
  const { attributes = {}, ...rest } = changes;
  return { ...version, ...rest, ...attributes };
}

function parseBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  throw badParameter(`Property ${result.error.issues[0]?.path.join('.') || 'value'} is missing or invalid.`);
}

function nameInDeletedState(name: string): VaultError {
  return new VaultError(
    409,
    'Conflict',
    `Secret ${name} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the secret can only be recovered or purged.`,
    'ObjectIsDeletedButRecoverable',
  );
}
