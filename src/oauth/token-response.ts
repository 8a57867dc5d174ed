import { type ProviderProfile, unknownProfile } from '../domain/provider.ts';
import { Secret } from '../domain/secret.ts';
import type { TokenSet } from '../domain/token-set.ts';
import { type TokenFields, valueAt } from './response-normaliser.ts';
import { expiryOf } from './token-expiry.ts';
import { tokenMetadata } from './token-metadata.ts';

/** RFC 6749 appendix A.12: what else it might hold would break the header that it is sent in. */
const accessTokenPattern = /^[\x20-\x7e]+$/;

/**
 * Judges a token answer in RFC 6749's form (section 5.1), leniently where real providers are lax. Undefined when the access token could not be used.
 */
export function toTokenSet(
  answer: { readonly fields: TokenFields; readonly rest: Readonly<Record<string, unknown>> },
  requestedAt: number,
  { answers, lives, metadata }: Pick<ProviderProfile, 'answers' | 'lives' | 'metadata'> = unknownProfile,
): TokenSet | undefined {
  const { fields, rest } = answer;
  const accessToken = fields.access_token;
  if (!accessTokenPattern.test(accessToken)) return undefined;
  const refreshToken = textOf(fields.refresh_token);
  const texts = [accessToken, refreshToken, textOf(fields.id_token)].filter((text) => text !== null);
  return {
    tokens: {
      accessToken: new Secret(accessToken),
      tokenType: tokenTypeOf(fields.token_type),
      refreshToken: refreshToken === null ? null : new Secret(refreshToken),
      account: metadata.accountPath === null ? null : nameAt(rest, metadata.accountPath),
      metadata: kept(tokenMetadata(rest, texts), metadata.fromAnswer),
    },
    requestedAt,
    expiresAt: expiryOf(fields, requestedAt, answers) ?? assumedExpiry(fields, requestedAt, lives),
    scopes: scopesOf(fields.scope),
  };
}

/** The life that the provider is known to give, where the answer states none: a stated endless life stands. */
function assumedExpiry(
  { expires_in: stated }: TokenFields,
  requestedAt: number,
  { accessTokenSeconds }: ProviderProfile['lives'],
): number | null {
  const isSilent = stated === undefined || stated === null || stated === '';
  return accessTokenSeconds !== null && isSilent ? requestedAt + accessTokenSeconds * 1000 : null;
}

function kept(
  said: Readonly<Record<string, unknown>>,
  names: readonly string[] | null,
): Readonly<Record<string, unknown>> {
  return names === null ? said : Object.fromEntries(Object.entries(said).filter(([name]) => names.includes(name)));
}

/** A name in an answer, by its path: numbers count as names. */
export function nameAt(answer: unknown, path: string): string | null {
  const found = valueAt(answer, path);
  return typeof found === 'number' ? String(found) : textOf(found);
}

/** Providers that leave the type out, or give a name of their own, mean a bearer token. */
function tokenTypeOf(tokenType: unknown): string {
  return typeof tokenType === 'string' && tokenType.toLowerCase() === 'dpop' ? 'DPoP' : 'Bearer';
}

function scopesOf(scope: unknown): string | null {
  if (!Array.isArray(scope)) return textOf(scope);
  return textOf(scope.filter((item) => typeof item === 'string').join(' '));
}

/** A text that is there and not blank. */
export function textOf(value: unknown): string | null {
  return typeof value === 'string' && value.trim() !== '' ? value : null;
}
