import { createHash } from 'node:crypto';
import { scopeList } from '../../../domain/connection.ts';
import { checkAssertion } from './assertion.ts';
import { type Exchange, Refusal } from './exchange.ts';
import type { Issuing } from './issue-tokens.ts';
import type { MockGrant } from './mock-state.ts';
import { type Parameters, requestedScopes } from './parameters.ts';
import { people } from './people.ts';

export type GrantHandler = (exchange: Exchange, parameters: Parameters, clientId: string) => Issuing | Promise<Issuing>;

/** RFC 6749 section 4.1.3 and RFC 7636 section 4.6. */
export function redeemCode({ server, entry, standIn }: Exchange, parameters: Parameters, clientId: string): Issuing {
  const code = server.state.codes.get(parameters.code ?? '');
  if (code === undefined || code.grant.provider !== entry.id || code.grant.clientId !== clientId) {
    throw new Refusal('invalid_code', 'no such code');
  }
  const { grant } = code;
  if (code.isUsed) {
    // What came of it ends as well.
    grant.isEnded = true;
    throw new Refusal('invalid_code', 'the code was used before');
  }
  code.isUsed = true;
  if (code.expiresAt <= server.now()) throw new Refusal('invalid_code', 'the code has lapsed');
  if (parameters.redirect_uri !== grant.redirectUri) {
    throw new Refusal('redirect_mismatch', 'redirect_uri is not that of the authorization');
  }
  if (code.challenge !== null && challengeOf(parameters.code_verifier ?? '') !== code.challenge) {
    throw new Refusal('invalid_code', 'code_verifier does not fit');
  }
  const { offlineParameter: offline } = standIn;
  if (offline?.request === 'token' && parameters[offline.name] !== offline.value) grant.isOffline = false;
  return { grant, nonce: code.nonce };
}

/** S256. */
function challengeOf(verifier: string): string {
  return createHash('sha256').update(verifier).digest('base64url');
}

/** RFC 6749 section 6, with the entry's rotation. */
export function refresh(exchange: Exchange, parameters: Parameters, clientId: string): Issuing {
  const { server, entry } = exchange;
  const used = server.state.refreshTokens.get(parameters.refresh_token ?? '');
  if (used === undefined || used.grant.provider !== entry.id || used.grant.clientId !== clientId) {
    throw new Refusal('invalid_refresh_token', 'no such refresh token');
  }
  const { grant } = used;
  if (grant.isEnded) throw new Refusal('invalid_refresh_token', 'the grant has ended');
  if (used.spentAt !== null && !isWithinOverlap(exchange, used.spentAt)) {
    // RFC 9700 section 4.14.2: somebody else may have it.
    grant.isEnded = true;
    throw new Refusal('invalid_refresh_token', 'the refresh token was used before: the grant has ended');
  }
  if (entry.requests.repeatsRedirectUri && parameters.redirect_uri !== grant.redirectUri) {
    throw new Refusal('redirect_mismatch', 'a refresh repeats redirect_uri');
  }
  return { grant, used };
}

function isWithinOverlap({ entry, server }: Exchange, spentAt: number): boolean {
  if (entry.rotation !== 'overlap') return false;
  return entry.overlapSeconds === null || server.now() - spentAt < entry.overlapSeconds * 1000;
}

/** A client for itself (RFC 6749 section 4.4). */
export function ofClient(exchange: Exchange, parameters: Parameters, clientId: string): Issuing {
  return { grant: ownGrant(exchange, clientId, requestedScopes(exchange, parameters.scope)) };
}

/** RFC 7523 section 2.1. */
export async function ofAssertion(exchange: Exchange, parameters: Parameters, clientId: string): Promise<Issuing> {
  const { jwt } = exchange.entry;
  if (jwt === null) throw new Refusal('unsupported_grant_type', 'the provider takes no assertions');
  const claims = await checkAssertion(exchange, jwt, parameters.assertion ?? '');
  const claimed = typeof claims.scope === 'string' ? scopeList(claims.scope) : [];
  const scopes = jwt.scopesIn === 'claim' ? claimed : requestedScopes(exchange, parameters.scope);
  return { grant: ownGrant(exchange, clientId, scopes) };
}

/** RFC 8628 section 3.4. */
export function ofDevice(exchange: Exchange, parameters: Parameters, clientId: string): Issuing {
  const { server, entry } = exchange;
  const device = server.state.devices.get(parameters.device_code ?? '');
  if (device === undefined || device.provider !== entry.id || device.clientId !== clientId) {
    throw new Refusal('invalid_code', 'no such device code');
  }
  if (device.expiresAt <= server.now()) throw new Refusal('expired_device_code', 'the device code has lapsed');
  if (device.person === undefined) throw new Refusal('authorization_pending', 'nobody has decided yet');
  server.state.devices.delete(parameters.device_code ?? '');
  if (device.person === null) throw new Refusal('access_denied', 'the person refused');
  const isOffline = isOfflineGrant(exchange, device.scopes);
  return { grant: { ...ownGrant(exchange, clientId, device.scopes), person: device.person, isOffline } };
}

/** RFC 8693 section 2.1. Any subject token will do: the stand-in knows no other server. */
export function exchangeToken(exchange: Exchange, parameters: Parameters, clientId: string): Issuing {
  if (!parameters.subject_token || !parameters.subject_token_type) {
    throw new Refusal('invalid_request', 'subject_token and subject_token_type are needed');
  }
  const grant = ownGrant(exchange, clientId, requestedScopes(exchange, parameters.scope));
  return { grant: { ...grant, person: people[0] } };
}

/** Whether refresh tokens come with what a person gave. */
export function isOfflineGrant({ entry }: Exchange, scopes: readonly string[]): boolean {
  if (!entry.flows.includes('refresh_token')) return false;
  return entry.scopes.offline === null || scopes.includes(entry.scopes.offline);
}

function ownGrant({ entry }: Exchange, clientId: string, scopes: readonly string[]): MockGrant {
  return {
    provider: entry.id,
    clientId,
    person: null,
    scopes,
    redirectUri: null,
    isOffline: false,
    isEnded: false,
  };
}
