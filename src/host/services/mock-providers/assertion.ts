import type { KeyObject } from 'node:crypto';
import { type JWTPayload, jwtVerify } from 'jose';
import type { ProviderJwt } from '../../../domain/provider.ts';
import { type Exchange, Refusal } from './exchange.ts';

/** Checks a JWT that stands for a client (RFC 7523 section 3). Resolves to its claims. */
export async function checkAssertion({ server }: Exchange, jwt: ProviderJwt, assertion: string): Promise<JWTPayload> {
  const nowMs = server.now();
  const claims = await verified(assertion, jwt, server.client.publicKey, nowMs);
  if (!matches(jwt.issuer, claims.iss, server.client.id)) throw new Refusal('invalid_assertion', 'iss is wrong');
  const audiences = Array.isArray(claims.aud) ? claims.aud : [claims.aud];
  if (!audiences.some((audience) => matches(jwt.audience, audience, server.client.id))) {
    throw new Refusal('invalid_assertion', 'aud is wrong');
  }
  if (claims.sub !== undefined && !matches(jwt.subject ?? '', claims.sub, server.client.id)) {
    throw new Refusal('invalid_assertion', 'sub is wrong');
  }
  const issuedAt = claims.iat ?? nowMs / 1000;
  // A clock that is a little behind is allowed for, as it is at providers.
  if ((claims.exp ?? 0) - issuedAt > jwt.lifeSeconds + 60) throw new Refusal('invalid_assertion', 'exp is too late');
  return claims;
}

async function verified(
  assertion: string,
  { algorithm }: ProviderJwt,
  publicKey: KeyObject,
  nowMs: number,
): Promise<JWTPayload> {
  try {
    const options = { algorithms: [algorithm], currentDate: new Date(nowMs), requiredClaims: ['iss', 'aud', 'exp'] };
    return (await jwtVerify(assertion, publicKey, options)).payload;
  } catch (error) {
    throw new Refusal('invalid_assertion', error instanceof Error ? error.message : 'unreadable');
  }
}

/** Whether a claim is what the entry's template says; a variable may have any value. */
function matches(template: string, claim: string | undefined, clientId: string): boolean {
  if (claim === undefined) return false;
  const parts = template.replaceAll('{client_id}', clientId).split(/\{\w+\}/);
  const escaped = parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${escaped.join('.+')}$`).test(claim);
}
