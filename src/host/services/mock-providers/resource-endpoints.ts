import type { Fields, Person } from '../../../providers/stand-ins/stand-in.ts';
import { answered } from './answers.ts';
import { checkClient, isBasic } from './client-check.ts';
import { type Exchange, type HttpAnswer, Refusal } from './exchange.ts';
import { liveAccessToken } from './mock-state.ts';
import { bodyParameters, checkHeaders } from './parameters.ts';
import { people } from './people.ts';

/** Whose the token is, for userinfo and the test endpoint. */
export function userinfoEndpoint(exchange: Exchange): HttpAnswer {
  checkHeaders(exchange);
  const { grant } = tokenOfHeader(exchange);
  const person = grant.person ?? people[0];
  const body = exchange.standIn.userinfo?.(person) ?? standardUserinfo(exchange, person);
  return answered(exchange, 200, body);
}

function standardUserinfo({ entry }: Exchange, { id, name, email }: Person): Fields {
  const path = entry.metadata.userinfoAccountPath?.split('.') ?? [];
  const named = path.reduceRight<unknown>((value, field) => ({ [field]: value }), id);
  return { sub: id, id, name, email, ...(path.length > 0 && (named as Fields)) };
}

function tokenOfHeader(exchange: Exchange) {
  const { entry, headers, server } = exchange;
  const { name, prefix } = entry.requests.tokenHeader;
  const value = headers[name] ?? '';
  const token = value.toLowerCase().startsWith(prefix.toLowerCase()) ? value.slice(prefix.length) : '';
  const found = liveAccessToken(server.state, entry.id, token, server.now());
  if (found === undefined) throw new Refusal('invalid_token', 'no such access token');
  return found;
}

/** RFC 7009, or the provider's own way. */
export async function revocationEndpoint(exchange: Exchange): Promise<HttpAnswer> {
  const { entry, standIn, method } = exchange;
  const { revocation } = entry;
  if (revocation === null || method !== revocation.method) throw new Refusal('invalid_request', 'a wrong method');
  checkHeaders(exchange);
  if (revocation.style === 'bearer') tokenOfHeader(exchange).grant.isEnded = true;
  else if (revocation.style === 'client_json') revokeByClient(exchange);
  else await revokeByForm(exchange, revocation.bodyFormat ?? entry.requests.bodyFormat);
  const { status, body } = standIn.revoked ?? { status: 200, body: {} };
  return answered(exchange, status, body);
}

async function revokeByForm(exchange: Exchange, format: 'form' | 'json'): Promise<void> {
  const { server, entry } = exchange;
  const parameters = bodyParameters(exchange, format);
  await checkClient(exchange, parameters);
  const token = parameters.token ?? '';
  const refreshToken = server.state.refreshTokens.get(token);
  // Section 2.1: with the refresh token the whole grant ends. Section 2.2: a token that nobody knows is no failure.
  if (refreshToken?.grant.provider === entry.id) refreshToken.grant.isEnded = true;
  const accessToken = server.state.accessTokens.get(token);
  if (accessToken?.grant.provider === entry.id) accessToken.isRevoked = true;
}

function revokeByClient(exchange: Exchange): void {
  const { server, entry, headers, rest } = exchange;
  const basic = /^basic (.+)$/i.exec(headers.authorization ?? '')?.[1];
  const raw = { ...exchange, entry: { ...entry, clientAuth: ['client_secret_basic_raw'] as const } };
  if (basic === undefined || !isBasic(basic, raw)) throw new Refusal('invalid_client', 'wrong credentials');
  if (rest[0] !== server.client.id) throw new Refusal('invalid_client', 'the path names another client');
  const { access_token: token } = bodyParameters(exchange, 'json');
  const found = liveAccessToken(server.state, entry.id, token ?? '', server.now());
  if (found === undefined) throw new Refusal('invalid_request', 'no such access token');
  found.isRevoked = true;
}

/** RFC 7662. */
export async function introspectionEndpoint(exchange: Exchange): Promise<HttpAnswer> {
  const { server, entry } = exchange;
  const parameters = bodyParameters(exchange, 'form');
  await checkClient(exchange, parameters);
  const token = parameters.token ?? '';
  const access = liveAccessToken(server.state, entry.id, token, server.now());
  const refresh = server.state.refreshTokens.get(token);
  const isLiveRefresh =
    refresh?.grant.provider === entry.id && !refresh.grant.isEnded && refresh.spentAt === null ? refresh : undefined;
  const grant = access?.grant ?? isLiveRefresh?.grant;
  if (grant === undefined) return answered(exchange, 200, { active: false });
  const ends =
    access !== undefined && Number.isFinite(access.expiresAt) ? { exp: Math.floor(access.expiresAt / 1000) } : {};
  const scope = grant.scopes.join(' ');
  return answered(exchange, 200, { active: true, client_id: grant.clientId, scope, sub: grant.person?.id, ...ends });
}

/** RFC 8414. */
export function metadataEndpoint(exchange: Exchange): HttpAnswer {
  const base = `${exchange.server.baseUrl()}/${exchange.entry.id}`;
  return answered(exchange, 200, {
    issuer: base,
    authorization_endpoint: `${base}/authorize`,
    token_endpoint: `${base}/token`,
    userinfo_endpoint: `${base}/userinfo`,
    revocation_endpoint: `${base}/revoke`,
    introspection_endpoint: `${base}/introspect`,
    device_authorization_endpoint: `${base}/device_code`,
    response_types_supported: ['code'],
    code_challenge_methods_supported: ['S256'],
  });
}
