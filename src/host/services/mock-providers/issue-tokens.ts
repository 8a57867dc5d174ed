import type { Fields } from '../../../providers/stand-ins/stand-in.ts';
import { answered } from './answers.ts';
import type { Exchange, HttpAnswer } from './exchange.ts';
import { idToken } from './id-token.ts';
import { type MockGrant, type MockRefreshToken, unguessable } from './mock-state.ts';

export interface Issuing {
  readonly grant: MockGrant;
  /** The refresh token that was used. */
  readonly used?: MockRefreshToken;
  readonly nonce?: string | null;
}

/** Issues an access token, and a refresh token as the provider's rotation has it, in the provider's own shape. */
export async function issueTokens(exchange: Exchange, { grant, used, nonce = null }: Issuing): Promise<HttpAnswer> {
  const { entry, standIn, server } = exchange;
  const now = server.now();
  const accessToken = unguessable(standIn.tokenPrefixes?.access);
  const lifeSeconds = server.accessTokenLifeSeconds;
  const hasEnd = entry.lives.accessTokenSeconds !== null || entry.flows.includes('refresh_token');
  const expiresAt = hasEnd && standIn.statesNoLife !== true ? now + lifeSeconds * 1000 : Number.POSITIVE_INFINITY;
  server.state.accessTokens.set(accessToken, { grant, expiresAt, isRevoked: false });

  const refreshToken = used === undefined ? firstRefreshToken(exchange, grant) : nextRefreshToken(exchange, used);
  const isOpenId = used === undefined && grant.person !== null && grant.scopes.includes('openid');
  const standard: Fields = {
    access_token: accessToken,
    token_type: 'Bearer',
    ...(Number.isFinite(expiresAt) && { expires_in: lifeSeconds }),
    ...(refreshToken !== null && { refresh_token: refreshToken }),
    ...(grant.scopes.length > 0 && { [entry.answers.scopeField]: grant.scopes.join(' ') }),
    ...(isOpenId && { id_token: await idToken(exchange, grant, nonce) }),
  };
  const { person, scopes } = grant;
  const isRefresh = used !== undefined;
  const issued = { isRefresh, now, accessToken, refreshToken, lifeSeconds, scopes, person };
  const body = standIn.tokens?.(standard, issued) ?? renamed(standard, entry.answers.accessTokenField);
  return answered(exchange, standIn.tokenStatus ?? 200, body);
}

function renamed({ access_token: token, ...others }: Fields, field: string): Fields {
  return { [field]: token, ...others };
}

function firstRefreshToken(exchange: Exchange, grant: MockGrant): string | null {
  return grant.isOffline ? newRefreshToken(exchange, grant) : null;
}

/** What the answer names: null where the old one stays and is not repeated. */
function nextRefreshToken(exchange: Exchange, used: MockRefreshToken): string | null {
  const { entry, standIn, server } = exchange;
  const ageSeconds = (server.now() - used.issuedAt) / 1000;
  if (entry.rotation === 'none') return standIn.repeatsRefreshToken === true ? used.token : null;
  if (ageSeconds < (standIn.rotatesAfterSeconds ?? 0)) return used.token;
  used.spentAt ??= server.now();
  return newRefreshToken(exchange, used.grant);
}

function newRefreshToken({ server, standIn }: Exchange, grant: MockGrant): string {
  const token = unguessable(standIn.tokenPrefixes?.refresh);
  server.state.refreshTokens.set(token, { token, grant, issuedAt: server.now(), spentAt: null });
  return token;
}
