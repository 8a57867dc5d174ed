import { describe, expect, it } from 'vitest';
import { dueAt, isDue, lastChanceAt, postponedDueAt, sweepAt } from '../../../src/domain/due.ts';
import { dayMs, hourMs, liveGrant, minuteMs, noon } from './samples.ts';

const policy = { refreshWindowSeconds: 4 * 3600, sweepIntervalSeconds: 1800, idleAfterSeconds: 7 * 86_400 };
const token = (lifeMs: number | null, hasRefreshToken = true) => ({
  issuedAt: noon,
  expiresAt: lifeMs === null ? null : noon + lifeMs,
  hasRefreshToken,
});

describe('dueAt', () => {
  it.each([
    ['half its life, for a token of 8 hours', 8 * hourMs, 4 * hourMs],
    ['the window before its end, for a token of 60 days', 60 * dayMs, 60 * dayMs - 4 * hourMs],
    ['early enough for a sweep and five minutes, for a token of an hour', hourMs, 25 * minuteMs],
    ['at once, for a token that lives just as long as a sweep takes to come by', 35 * minuteMs, 0],
  ])('is %s', (_, lifeMs, expectedMs) => {
    expect(dueAt(token(lifeMs), policy, 0)).toBe(noon + expectedMs);
  });

  it('takes up to five minutes of jitter off, and never before the token was issued', () => {
    expect(dueAt(token(8 * hourMs), policy, 0.5)).toBe(noon + 4 * hourMs - 2.5 * minuteMs);
    expect(dueAt(token(36 * minuteMs), policy, 0.999)).toBe(noon);
  });

  it('is within the margin in which the provider gives another token, spread over five minutes of it', () => {
    const lives = { keepAliveSeconds: 86_400, refreshMarginSeconds: 3600 };
    const at = [0, 0.5, 1].map((jitter) => dueAt(token(6 * hourMs), policy, jitter, lives));
    expect(at).toEqual([0, 2.5, 5].map((minutes) => noon + 5 * hourMs + minutes * minuteMs));
    const tight = { ...lives, refreshMarginSeconds: 36 * 60 };
    expect(dueAt(token(6 * hourMs), policy, 1, tight)).toBe(noon + 6 * hourMs - 35 * minuteMs);
    expect(dueAt(token(6 * hourMs), policy, 0, { ...lives, refreshMarginSeconds: 600 })).toBe(noon + dayMs);
  });

  it('keeps the refresh token alive once a day where the token is too short for a sweep', () => {
    expect(dueAt(token(5 * minuteMs), policy, 0.5)).toBe(noon + dayMs);
    expect(dueAt(token(5 * minuteMs, false), policy, 0.5)).toBeNull();
  });

  it('keeps the refresh token alive once a day where the provider states no end', () => {
    expect(dueAt(token(null), policy, 0.5)).toBe(noon + dayMs);
  });

  it('is never for a token that neither ends nor can be refreshed', () => {
    expect(dueAt(token(null, false), policy, 0)).toBeNull();
  });
});

describe('isDue', () => {
  const due = liveGrant({ dueAt: noon });

  it('is so from the time on', () => {
    expect(isDue(due, noon - 1)).toBe(false);
    expect(isDue(due, noon)).toBe(true);
    expect(isDue({ ...due, dueAt: null }, noon)).toBe(false);
  });

  it('waits for the backoff of a failing refresh, and not for less than the time', () => {
    const failure = { code: 'provider_unavailable', message: '', since: noon, attempts: 3, readRetryAt: noon } as const;
    expect(isDue({ ...due, failure: { ...failure, retryAt: noon + 1 } }, noon)).toBe(false);
    expect(isDue({ ...due, failure: { ...failure, retryAt: noon } }, noon)).toBe(true);
    expect(sweepAt({ ...due, failure: { ...failure, retryAt: noon - 1 } })).toBe(noon);
  });
});

describe('postponedDueAt', () => {
  const idle = liveGrant({ dueAt: noon, lastUsedAt: noon - 8 * dayMs, lastRefreshAt: noon - dayMs + 1 });

  it('puts off a grant that nobody uses until its refresh token needs it, once a day', () => {
    expect(postponedDueAt(idle, noon, policy)).toBe(noon + 1);
    expect(postponedDueAt(idle, noon + 1, policy)).toBeUndefined();
  });

  it('counts one that nobody has ever read from when it was connected, however often sweeps refresh it', () => {
    const unread = { ...idle, lastUsedAt: null, lastRefreshAt: noon - minuteMs };
    expect(postponedDueAt({ ...unread, connectedAt: noon - 8 * dayMs }, noon, policy)).toBe(noon - minuteMs + dayMs);
    expect(postponedDueAt({ ...unread, connectedAt: noon - 6 * dayMs }, noon, policy)).toBeUndefined();
  });

  it('gives up one that has no refresh token: the next reader gets another', () => {
    expect(postponedDueAt({ ...idle, hasRefreshToken: false }, noon, policy)).toBeNull();
  });

  it('leaves alone one that is used, and one of which nothing is known', () => {
    expect(postponedDueAt({ ...idle, lastUsedAt: noon - 6 * dayMs }, noon, policy)).toBeUndefined();
    expect(postponedDueAt({ ...idle, lastUsedAt: null, lastRefreshAt: null }, noon, policy)).toBeUndefined();
  });
});

describe('lastChanceAt', () => {
  it('is a sweep and five minutes before the token ends', () => {
    expect(lastChanceAt(liveGrant(), policy)).toBe(noon + hourMs - 35 * minuteMs);
    expect(lastChanceAt(liveGrant({ expiresAt: null }), policy)).toBeNull();
  });
});
