import { randomBytes } from 'node:crypto';
import type { Person } from '../../../providers/stand-ins/stand-in.ts';

/** What one person, or the client itself, gave. All tokens of it end with it. */
export interface MockGrant {
  readonly provider: string;
  readonly clientId: string;
  /** Null: the client speaks for itself. */
  readonly person: Person | null;
  readonly scopes: readonly string[];
  readonly redirectUri: string | null;
  /** Refresh tokens come with it. */
  isOffline: boolean;
  isEnded: boolean;
}

export interface MockCode {
  readonly grant: MockGrant;
  readonly challenge: string | null;
  readonly nonce: string | null;
  readonly expiresAt: number;
  isUsed: boolean;
}

export interface MockRefreshToken {
  readonly token: string;
  readonly grant: MockGrant;
  readonly issuedAt: number;
  /** When a newer one took its place. */
  spentAt: number | null;
}

interface MockAccessToken {
  readonly grant: MockGrant;
  readonly expiresAt: number;
  isRevoked: boolean;
}

export interface MockDevice {
  readonly provider: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly userCode: string;
  readonly expiresAt: number;
  /** Undefined: nobody has decided yet. Null: refused. */
  person: Person | null | undefined;
}

/** Everything that the stand-ins remember, in memory alone. */
export interface MockState {
  readonly codes: Map<string, MockCode>;
  readonly refreshTokens: Map<string, MockRefreshToken>;
  readonly accessTokens: Map<string, MockAccessToken>;
  readonly devices: Map<string, MockDevice>;
  readonly faults: Map<string, Fault[]>;
}

/** What the next requests to a provider's token endpoint get. */
export interface Fault {
  readonly failure: 'rate_limited' | 'unavailable';
  timesLeft: number;
}

export function emptyState(): MockState {
  return {
    codes: new Map(),
    refreshTokens: new Map(),
    accessTokens: new Map(),
    devices: new Map(),
    faults: new Map(),
  };
}

/** Something that nobody guesses. */
export function unguessable(prefix = ''): string {
  return `${prefix}${randomBytes(24).toString('base64url')}`;
}

/** The live access token, or undefined. */
export function liveAccessToken(state: MockState, provider: string, token: string, now: number) {
  const found = state.accessTokens.get(token);
  if (found === undefined || found.grant.provider !== provider) return undefined;
  return found.grant.isEnded || found.isRevoked || found.expiresAt <= now ? undefined : found;
}

/** Ends every grant of a provider, as an administrator there might. */
export function endGrants(state: MockState, provider: string): void {
  for (const { grant } of [...state.refreshTokens.values(), ...state.accessTokens.values()]) {
    if (grant.provider === provider) grant.isEnded = true;
  }
}

/** The fault that the next request gets, counted down. */
export function takeFault(state: MockState, provider: string): Fault['failure'] | undefined {
  const fault = state.faults.get(provider)?.find(({ timesLeft }) => timesLeft > 0);
  if (fault === undefined) return undefined;
  fault.timesLeft -= 1;
  return fault.failure;
}
