import { Secret } from '../domain/secret.ts';
import type { TokenSet } from '../domain/token-set.ts';
import type { TokenFields } from './response-normaliser.ts';
import { defaultShape, type ResponseShape } from './response-shape.ts';
import { expiryOf } from './token-expiry.ts';
import { tokenMetadata } from './token-metadata.ts';

/** RFC 6749 appendix A.12: what else it might hold would break the header that it is sent in. */
const accessTokenPattern = /^[\x20-\x7e]+$/;

/**
 * Judges a token answer in RFC 6749's form (section 5.1), leniently where real providers are lax. The account is
 * not known here. Undefined when the access token could not be used.
 */
export function toTokenSet(
  answer: { readonly fields: TokenFields; readonly rest: Readonly<Record<string, unknown>> },
  requestedAt: number,
  shape: ResponseShape = defaultShape,
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
      account: null,
      metadata: tokenMetadata(rest, texts),
    },
    requestedAt,
    expiresAt: expiryOf(fields, requestedAt, shape),
    scopes: scopesOf(fields.scope),
  };
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
