import { describe, expect, it } from 'vitest';
import { asksTooMuch, livesLongEnough, remainingMs } from '../../../src/domain/token-life.ts';
import { hourMs, liveGrant, noon } from './samples.ts';

const byDefault = { seconds: 60, isExplicit: false };
const asked = (seconds: number) => ({ seconds, isExplicit: true });
const end = noon + hourMs;

describe('livesLongEnough', () => {
  it('asks for the wanted life to the millisecond', () => {
    expect(livesLongEnough(liveGrant(), byDefault, end - 60_000)).toBe(true);
    expect(livesLongEnough(liveGrant(), byDefault, end - 59_999)).toBe(false);
  });

  it('asks for half the life of a token that never lives longer than the default, unless a caller insists', () => {
    const short = liveGrant({ lifeSeconds: 40, expiresAt: noon + 40_000 });
    expect(livesLongEnough(short, byDefault, noon + 20_000)).toBe(true);
    expect(livesLongEnough(short, byDefault, noon + 20_001)).toBe(false);
    expect(livesLongEnough(short, asked(30), noon + 15_000)).toBe(false);
  });

  it('never holds for a grant without a token or that is not completed', () => {
    expect(livesLongEnough(liveGrant({ hasTokens: false }), byDefault, noon)).toBe(false);
    expect(livesLongEnough(liveGrant({ status: 'failed' }), byDefault, noon)).toBe(false);
  });

  it('always holds for a token without an end', () => {
    expect(livesLongEnough(liveGrant({ expiresAt: null, lifeSeconds: null }), asked(1e9), noon)).toBe(true);
    expect(remainingMs(liveGrant({ expiresAt: null }), noon)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('asksTooMuch', () => {
  it('is so when a caller names the whole life of the last token or more: no token ever has it left', () => {
    expect(asksTooMuch(liveGrant(), asked(3599))).toBe(false);
    expect(asksTooMuch(liveGrant(), asked(3600))).toBe(true);
    expect(asksTooMuch(liveGrant({ lifeSeconds: 0 }), asked(60)), 'one that came lapsed').toBe(false);
    expect(asksTooMuch(liveGrant({ lifeSeconds: 30 }), byDefault)).toBe(false);
  });
});
