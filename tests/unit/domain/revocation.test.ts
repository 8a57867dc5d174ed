import { describe, expect, it } from 'vitest';
import { postponedRevocation } from '../../../src/domain/revocation.ts';
import { dayMs, hourMs, minuteMs, noon } from './samples.ts';

const state = { id: 'r', createdAt: noon, attempts: 0, nextAt: noon };

describe('a revocation that got no answer', () => {
  it.each([
    [0, 5 * minuteMs],
    [1, 10 * minuteMs],
    [4, 80 * minuteMs],
    [8, 12 * hourMs],
    [1000, 12 * hourMs],
  ])('is tried again, after %i earlier tries, in %i ms', (attempts, waitMs) => {
    const now = noon + hourMs;
    expect(postponedRevocation({ ...state, attempts }, now)).toEqual({ attempts: attempts + 1, nextAt: now + waitMs });
  });

  it('is given up a week after it began, and not before', () => {
    expect(postponedRevocation(state, noon + 7 * dayMs - 1)).toBeDefined();
    expect(postponedRevocation(state, noon + 7 * dayMs)).toBeUndefined();
  });
});
