import { describe, expect, it } from 'vitest';
import { emptyGrant, type Tokens, tokensOfDeadGrant, withoutTokens } from '../../../src/domain/grant.ts';
import { withDeath, withFailure, withTokenSet } from '../../../src/domain/grant-transitions.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { mergeTokens, type TokenSet } from '../../../src/domain/token-set.ts';
import { hourMs, liveGrant, minuteMs, noon } from './samples.ts';

const tokens: Tokens = {
  accessToken: new Secret('access'),
  tokenType: 'Bearer',
  refreshToken: new Secret('refresh'),
  account: 'alice',
  metadata: { instance_url: 'https://one.example.com' },
};
const issued: TokenSet = { tokens, requestedAt: noon, expiresAt: noon + hourMs, scopes: 'read' };
const failed = (changes = {}) => ({
  code: 'provider_unavailable' as const,
  message: 'The provider does not answer.',
  retryAfterSeconds: undefined,
  ...changes,
});

describe('a new token set', () => {
  it('completes the grant, counts up and clears every failure', () => {
    const before = withFailure(
      { ...liveGrant(), status: 'failed', statusReason: 'provider_rejected_client' },
      failed(),
      noon,
      0,
    );
    expect(withTokenSet(before, issued, noon + 1)).toMatchObject({
      status: 'completed',
      statusReason: null,
      statusMessage: null,
      seq: before.seq + 1,
      lifeSeconds: 3600,
      dueAt: noon + 1,
      failure: null,
      generation: before.generation,
    });
  });

  it('keeps the scopes there were when the provider says nothing', () => {
    const before = liveGrant({ grantedScopes: 'read write' });
    expect(withTokenSet(before, { ...issued, scopes: null }, null).grantedScopes).toBe('read write');
    expect(withTokenSet(before, issued, null).grantedScopes).toBe('read');
  });

  it('leaves what the answer left out as it was: refresh token, account and metadata', () => {
    const answer = { ...tokens, refreshToken: null, account: null, metadata: { realm: 7 } };
    const merged = mergeTokens(tokens, { ...issued, tokens: answer }).tokens;
    expect(merged.refreshToken?.reveal()).toBe('refresh');
    expect(merged.account).toBe('alice');
    expect(merged.metadata).toEqual({ instance_url: 'https://one.example.com', realm: 7 });
    const rotated = mergeTokens(tokens, { ...issued, tokens: { ...answer, refreshToken: new Secret('second') } });
    expect(rotated.tokens.refreshToken?.reveal()).toBe('second');
  });
});

describe('a refresh that failed', () => {
  it('leaves a grant completed while its token lives, and says what fails since when', () => {
    const once = withFailure(liveGrant(), failed({ code: 'provider_rejected_client' }), noon, 0);
    expect(once).toMatchObject({
      status: 'completed',
      failure: { code: 'provider_rejected_client', since: noon, attempts: 1 },
    });
    const twice = withFailure(once, failed(), noon + minuteMs, 0);
    expect(twice.failure).toMatchObject({ code: 'provider_unavailable', since: noon, attempts: 2 });
  });

  it('makes a grant without a living token failed when an administrator must act, and only then', () => {
    const lapsed = liveGrant({ expiresAt: noon - 1 });
    expect(withFailure(lapsed, failed({ code: 'provider_rejected_client' }), noon, 0)).toMatchObject({
      status: 'failed',
      statusReason: 'provider_rejected_client',
      hasRefreshToken: true,
    });
    expect(withFailure(lapsed, failed(), noon, 0).status).toBe('completed');
  });

  it('is tried again by the sweep after 30 s at the least and 6 h at the most, with full jitter', () => {
    const waitAfter = (attempts: number, jitter: number) => {
      const grant = liveGrant({
        failure: { code: 'provider_unavailable', message: '', since: noon, attempts, retryAt: noon, readRetryAt: noon },
      });
      return (withFailure(grant, failed(), noon, jitter).failure?.retryAt ?? 0) - noon;
    };
    expect(waitAfter(0, 0)).toBe(30_000);
    expect(waitAfter(2, 0.5)).toBe(120_000);
    expect(waitAfter(60, 1)).toBe(6 * hourMs);
    expect(waitAfter(60, 0)).toBe(30_000);
  });

  it('is tried again by a reader sooner, and by nobody before the provider allows it', () => {
    const { failure } = withFailure(liveGrant(), failed(), noon, 1);
    expect(failure?.readRetryAt).toBe(noon + 2000);
    const told = withFailure(liveGrant(), failed({ retryAfterSeconds: 600 }), noon, 0).failure;
    expect(told).toMatchObject({ retryAt: noon + 600_000, readRetryAt: noon + 600_000 });
  });
});

describe('the end of a grant', () => {
  it('by death keeps nothing but whose it was', () => {
    const dead = withDeath(liveGrant(), 'needs_reauthorization', 'Authorize again.');
    expect(dead).toMatchObject({ status: 'failed', hasTokens: false, hasRefreshToken: false, dueAt: null, seq: 1 });
    expect(tokensOfDeadGrant(tokens)).toMatchObject({ accessToken: null, refreshToken: null, account: 'alice' });
    expect(tokensOfDeadGrant(null)).toBeNull();
  });

  it('by disconnecting keeps nothing, and never counts back', () => {
    expect(withoutTokens(liveGrant({ seq: 7 }), 'next', 'moved')).toEqual({ ...emptyGrant('next', 'moved'), seq: 7 });
  });
});
