import { SignJWT } from 'jose';
import type { Exchange } from './exchange.ts';
import type { MockGrant } from './mock-state.ts';

/** OpenID Connect Core section 2. */
export async function idToken({ server, entry }: Exchange, grant: MockGrant, nonce: string | null): Promise<string> {
  const nowSeconds = Math.floor(server.now() / 1000);
  const { id = '', name, email } = grant.person ?? {};
  return new SignJWT({ name, email, ...(nonce !== null && { nonce }) })
    .setProtectedHeader({ alg: 'ES256' })
    .setIssuer(`${server.baseUrl()}/${entry.id}`)
    .setSubject(id)
    .setAudience(grant.clientId)
    .setIssuedAt(nowSeconds)
    .setExpirationTime(nowSeconds + server.accessTokenLifeSeconds)
    .sign(server.signingKey);
}
