import { describe, expect, it } from 'vitest';
import { emptyGrant } from '../../../src/domain/grant.ts';
import { canRefresh, visibleStatus } from '../../../src/domain/grant-status.ts';
import { hourMs, liveGrant, minuteMs, noon } from './samples.ts';

const pending = { stateHash: 'hash', startedAt: noon, expiresAt: noon + 10 * minuteMs, testingUntil: null };
const testing = { ...pending, testingUntil: noon + 2 * minuteMs };
const fresh = emptyGrant('generation', 'endpoints');
const statusAt = (grant: Parameters<typeof visibleStatus>[0], now: number) =>
  visibleStatus(grant, 'authorization_code', now);

describe('visibleStatus', () => {
  it('is waiting_callback until the transaction lapses, then what it was before', () => {
    const waiting = { ...fresh, pending };
    expect(statusAt(waiting, noon)).toMatchObject({ status: 'waiting_callback', pendingAuthorization: true });
    expect(statusAt(waiting, noon + 10 * minuteMs)).toMatchObject({
      status: 'not_connected',
      pendingAuthorization: false,
    });
    const failed = { ...waiting, status: 'failed', statusReason: 'access_denied' } as const;
    expect(statusAt(failed, noon + 10 * minuteMs)).toMatchObject({ status: 'failed', statusReason: 'access_denied' });
  });

  it('is testing while the code is redeemed, and failed as interrupted when that never ends', () => {
    const redeeming = { ...fresh, pending: testing };
    expect(statusAt(redeeming, noon)).toMatchObject({ status: 'testing', pendingAuthorization: true });
    expect(statusAt(redeeming, noon + 2 * minuteMs)).toMatchObject({
      status: 'failed',
      statusReason: 'callback_interrupted',
      pendingAuthorization: false,
    });
  });

  it('stays completed while somebody authorizes again, whatever comes of it', () => {
    const again = liveGrant({ pending });
    expect(statusAt(again, noon)).toMatchObject({ status: 'completed', pendingAuthorization: true });
    expect(statusAt(liveGrant({ pending: testing }), noon + 3 * minuteMs)).toMatchObject({
      status: 'completed',
      pendingAuthorization: false,
    });
  });

  it('is failed for a lapsed token that only a person can renew', () => {
    const lapsed = liveGrant({ hasRefreshToken: false });
    expect(statusAt(lapsed, noon + hourMs - 1).status).toBe('completed');
    expect(statusAt(lapsed, noon + hourMs)).toMatchObject({ status: 'failed', statusReason: 'needs_reauthorization' });
    expect(visibleStatus(lapsed, 'client_credentials', noon + hourMs).status).toBe('completed');
    expect(statusAt(liveGrant(), noon + hourMs).status).toBe('completed');
  });
});

describe('canRefresh', () => {
  it('takes a refresh token, or a flow that mints its own tokens', () => {
    expect(canRefresh(fresh, 'authorization_code')).toBe(false);
    expect(canRefresh(liveGrant(), 'refresh_token')).toBe(true);
    expect(canRefresh(fresh, 'client_credentials')).toBe(true);
  });
});
