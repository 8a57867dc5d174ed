import { z } from 'zod';
import type { Opened } from '../../crypto/keyring.ts';
import { BrokerError } from '../../domain/errors.ts';
import type { Grant, GrantKey, Tokens } from '../../domain/grant.ts';
import { Secret } from '../../domain/secret.ts';
import type { Columns } from './columns.ts';
import {
  fromSealedColumns,
  openJson,
  type SealingKeyring,
  sealedColumnNames,
  sealJson,
  toSealedColumns,
  unreadable,
} from './sealed-columns.ts';

/** The columns of a grant's sealed tokens. Listings leave them out. */
export const sealedGrantColumns = sealedColumnNames(4);

/** How much JSON the tokens of one grant may be. Four columns hold it with its place, whatever the ids are. */
const tokensMaxBytes = 200 * 1024;

const tokensJson = z.object({
  access_token: z.string().nullable(),
  token_type: z.string(),
  refresh_token: z.string().nullable(),
  account: z.string().nullable(),
  metadata: z.record(z.string(), z.unknown()),
});

const payloadJson = z.object({
  v: z.literal(1),
  org: z.string(),
  connection_org: z.string(),
  connection: z.string(),
  user: z.string().nullable(),
  generation: z.string(),
  seq: z.number(),
  tokens: tokensJson,
});

type Payload = z.infer<typeof payloadJson>;

/** Fernet has no associated data, so that the sealed text itself says where it belongs. */
function placeOf(key: GrantKey, grant: Pick<Grant, 'generation' | 'seq'>): Omit<Payload, 'tokens'> {
  return {
    v: 1,
    org: key.org,
    connection_org: key.connectionOrg,
    connection: key.connection,
    user: key.userId,
    generation: grant.generation,
    seq: grant.seq,
  };
}

/**
 * Seals tokens for one place, or erases them. Throws `tokens_too_large` beyond 200 KB: nothing is ever cut.
 */
export async function sealTokens(
  keyring: SealingKeyring,
  key: GrantKey,
  grant: Pick<Grant, 'generation' | 'seq'>,
  tokens: Tokens | null,
): Promise<Columns> {
  if (tokens === null) return toSealedColumns(null, sealedGrantColumns);
  const json: Payload['tokens'] = {
    access_token: tokens.accessToken?.reveal() ?? null,
    token_type: tokens.tokenType,
    refresh_token: tokens.refreshToken?.reveal() ?? null,
    account: tokens.account,
    metadata: { ...tokens.metadata },
  };
  const bytes = Buffer.byteLength(JSON.stringify(json));
  if (bytes > tokensMaxBytes) {
    throw new BrokerError('tokens_too_large', `The tokens take more than ${tokensMaxBytes / 1024} KB.`, {
      detail: `${bytes} bytes`,
    });
  }
  return toSealedColumns(await sealJson(keyring, { ...placeOf(key, grant), tokens: json }), sealedGrantColumns);
}

/**
 * Opens the tokens of a row. Resolves to null when it holds none. Throws `grant_unreadable` when no key opens them, or
 * when they were sealed for another organisation, connection, user, generation or `seq`.
 */
export async function openTokens(
  keyring: SealingKeyring,
  key: GrantKey,
  grant: Grant,
  columns: Columns,
): Promise<Tokens | null> {
  const opened = await openPayload(keyring, key, grant, columns);
  if (opened === null) return null;
  const { tokens } = opened;
  return {
    accessToken: toSecret(tokens.access_token),
    tokenType: tokens.token_type,
    refreshToken: toSecret(tokens.refresh_token),
    account: tokens.account,
    metadata: tokens.metadata,
  };
}

/** The payload of a row, checked as `openTokens` has it, with the key that opened it and its bytes. */
export async function openPayload(
  keyring: SealingKeyring,
  key: GrantKey,
  grant: Grant,
  columns: Columns,
): Promise<(Opened & Pick<Payload, 'tokens'>) | null> {
  const sealed = fromSealedColumns(columns, sealedGrantColumns);
  if (sealed === null) {
    if (grant.hasTokens || grant.hasRefreshToken) throw unreadable('sealed payload: missing');
    return null;
  }
  const { json, ...opened } = await openJson(keyring, sealed);
  const parsed = payloadJson.safeParse(json);
  if (!parsed.success) throw unreadable('sealed payload: unknown version or shape');
  const { tokens, ...place } = parsed.data;
  for (const [name, expected] of Object.entries(placeOf(key, grant))) {
    if (place[name as keyof typeof place] !== expected) throw unreadable(`sealed payload: of another ${name}`);
  }
  return { ...opened, tokens };
}

function toSecret(text: string | null): Secret | null {
  return text === null ? null : new Secret(text);
}
