import { type CryptoKey, errors, jwtVerify } from 'jose';
import type { z } from 'zod';
import { unauthenticated } from '../../domain/caller.ts';
import type { BrokerError } from '../../domain/errors.ts';
import type { TokenVerifier } from '../../ports/token-verifier.ts';
import { createTenantKeys, type TenantKeysOptions } from './tenant-keys.ts';
import { type AccessTokenClaims, accessTokenClaims, hasRepeatedNames, rolesOf, tokenHeader } from './token-claims.ts';

export interface TokenVerifierOptions extends TenantKeysOptions {
  /** The tenants whose tokens are taken. Empty: none are. */
  readonly tenantIds: readonly string[];
  /** What a token's `aud` may be, exactly. */
  readonly audiences: readonly string[];
}

/** The longest token that is looked at. Those of Entra have 1 to 4 KB. */
const maxTokenChars = 16 * 1024;
const toleranceSeconds = 60;

/** Where tokens of version 1 come from. China's cloud has an issuer of its own. */
const v1IssuerOrigins: Readonly<Record<string, string>> = {
  'https://login.partner.microsoftonline.cn': 'https://sts.chinacloudapi.cn',
};
const v1IssuerOrigin = 'https://sts.windows.net';

/**
 * Verifies access tokens of Microsoft Entra: RS256 with a key of the very tenant, issuer by the token's own version and
 * tenant, exact audience, times within a minute, and that it is an access token (RFC 7519, RFC 8725 §3).
 */
export function createTokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const { tenantIds, audiences, clock } = options;
  const keys = createTenantKeys(options);
  return {
    async verify(token) {
      const text = token.reveal();
      if (tenantIds.length === 0) throw refused('none is taken here');
      if (text.length > maxTokenChars) throw refused('too long');
      const { keyId, claims } = readUnverified(text);
      if (!tenantIds.includes(claims.tid)) throw refused('tid');
      if (!audiences.includes(claims.aud)) throw refused('aud');
      if (claims.iss !== issuerOf(claims, options.authority)) throw refused('iss');
      const now = clock.now();
      if (claims.iat > now / 1000 + toleranceSeconds) throw refused('iat');
      const key = await keys.find(claims.tid, keyId);
      if (key === undefined) throw refused('kid');
      await verifySigned(text, key, new Date(now));
      return { tenantId: claims.tid, objectId: claims.oid, roles: rolesOf(claims) };
    },
  };
}

/** What is looked up and compared before the signature is checked: no request goes out for a token that cannot be right. */
function readUnverified(text: string): { readonly keyId: string; readonly claims: AccessTokenClaims } {
  const [header = '', payload = ''] = text.split('.');
  return { keyId: read(header, tokenHeader).kid, claims: read(payload, accessTokenClaims) };
}

function read<Shape extends z.ZodType>(part: string, shape: Shape): z.output<Shape> {
  const json = decode(part);
  if (json === undefined) throw refused('not JSON');
  const parsed = shape.safeParse(JSON.parse(json));
  if (!parsed.success) throw refused(parsed.error.issues.map(({ path }) => path.join('.')).join(', '));
  if (hasRepeatedNames(json)) throw refused('a repeated name');
  return parsed.data;
}

function decode(part: string): string | undefined {
  try {
    const json = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(part, 'base64url'));
    JSON.parse(json);
    return json;
  } catch {
    return undefined;
  }
}

function issuerOf({ ver, tid }: AccessTokenClaims, authority: string): string {
  return ver === '1.0' ? `${v1IssuerOrigins[authority] ?? v1IssuerOrigin}/${tid}/` : `${authority}/${tid}/v2.0`;
}

async function verifySigned(text: string, key: CryptoKey, currentDate: Date): Promise<void> {
  try {
    await jwtVerify(text, key, {
      algorithms: ['RS256'],
      currentDate,
      clockTolerance: toleranceSeconds,
      requiredClaims: ['exp', 'nbf', 'iat'],
    });
  } catch (error) {
    if (error instanceof errors.JOSEError) {
      throw refused(error instanceof errors.JWTClaimValidationFailed ? error.claim : error.code);
    }
    throw error;
  }
}

/** `problem` names what is wrong, for the log, and repeats nothing of the token. */
function refused(problem: string): BrokerError {
  return unauthenticated(`an Entra token: ${problem}`);
}
