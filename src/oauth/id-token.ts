import * as oauth from 'oauth4webapi';
import type { Secret } from '../domain/secret.ts';
import type { OAuthClient } from '../ports/authorization-server.ts';
import { rejected } from './callback.ts';
import { clientOf, serverOf } from './server-metadata.ts';

/**
 * The account that an ID token names, after checking `iss`, `aud`, `azp`, `exp`, `nonce` and `at_hash` (OpenID Connect
 * Core section 3.1.3.7). Null where the connection's issuer is not known: nothing could be checked against.
 * Throws `callback_rejected` when the ID token is wrong.
 *
 * The signature is not needed: the token came straight from the token endpoint over TLS (item 6 of that section).
 */
export async function accountOfIdToken(
  client: OAuthClient,
  issued: { readonly idToken: string; readonly accessToken: Secret; readonly nonce: Secret | null },
): Promise<string | null> {
  if (client.config.endpoints.issuer === null) return null;
  const accessToken = issued.accessToken.reveal();
  const answer = Response.json({ access_token: accessToken, token_type: 'bearer', id_token: issued.idToken });
  try {
    const nonce = issued.nonce === null ? {} : { expectedNonce: issued.nonce.reveal() };
    const expected = { ...nonce, requireIdToken: true };
    const checked = await oauth.processAuthorizationCodeResponse(serverOf(client), clientOf(client), answer, expected);
    const claims = oauth.getValidatedIdTokenClaims(checked);
    const hash = claims?.at_hash;
    const matches = hash === undefined || hash === (await hashOf(accessToken, algorithmOf(issued.idToken)));
    if (claims !== undefined && matches) return claims.sub;
  } catch (error) {
    // Its cause holds the claims or the token itself, so only the fixed text goes on.
    throw wrong(error instanceof Error ? error.message : 'unknown');
  }
  throw wrong('unexpected "at_hash"');
}

function wrong(why: string): Error {
  return rejected(
    "The provider's ID token is not valid for this connection. Check issuer and client_id, and authorize again.",
    'authorization_failed',
    `ID token: ${why}`,
  );
}

/** OpenID Connect Core section 3.1.3.6. */
async function hashOf(accessToken: string, algorithm: string): Promise<string> {
  const bits = /(256|384|512)$/.exec(algorithm)?.[1] ?? '512';
  const digest = await crypto.subtle.digest(`SHA-${bits}`, new TextEncoder().encode(accessToken));
  return Buffer.from(digest, 0, digest.byteLength / 2).toString('base64url');
}

function algorithmOf(jwt: string): string {
  const header = JSON.parse(Buffer.from(jwt.split('.')[0] ?? '', 'base64url').toString()) as { alg: string };
  return header.alg;
}
