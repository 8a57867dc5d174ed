import { randomBytes } from 'node:crypto';
import { exportJWK, generateKeyPair } from 'jose';
import { z } from 'zod';
import { readVersionedJson, writeJsonAtomically } from '../../json-file.ts';

const schemaVersion = 1;

const serverKeysSchema = z.object({
  schema_version: z.literal(schemaVersion),
  client_secret: z.string().min(1),
  cookie_key: z.string().min(1),
  signing_key: z.looseObject({ kty: z.string() }),
});

export type ServerKeys = z.infer<typeof serverKeysSchema>;

/** What makes this authorization server itself: made at the first start, the same ever after. */
export async function loadServerKeys(path: string): Promise<ServerKeys> {
  const parse = (value: unknown) => serverKeysSchema.safeParse(value).data ?? null;
  const kept = readVersionedJson({ path, schemaVersion, parse });
  if (kept !== null) return kept;
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const { kty = 'RSA', ...jwk } = await exportJWK(privateKey);
  const made: ServerKeys = {
    schema_version: schemaVersion,
    client_secret: randomBytes(32).toString('base64url'),
    cookie_key: randomBytes(32).toString('base64url'),
    signing_key: { kty, ...jwk, use: 'sig', alg: 'RS256', kid: randomBytes(8).toString('hex') },
  };
  writeJsonAtomically(path, made);
  return made;
}
