import { describe, expect, it } from 'vitest';
import { createForgetting } from '../../../src/usecases/forgetting.ts';

function remembering() {
  const cleared: string[] = [];
  const cacheOf = (name: string) => ({ clear: () => void cleared.push(name) });
  const forgetting = createForgetting({ track: (work) => work() }, cacheOf('credentials'));
  return { cleared, forgetting, workflows: cacheOf('workflows') };
}

describe('after a change', () => {
  it('a process forgets the credentials that it remembers, and what else goes by the change', async () => {
    const { cleared, forgetting, workflows } = remembering();
    expect(await forgetting(async (text: string) => text.length, { more: [workflows] })('four')).toBe(4);
    expect(cleared).toEqual(['credentials', 'workflows']);
  });

  it('that failed it forgets them too: something may have been changed', async () => {
    const { cleared, forgetting } = remembering();
    const fail = forgetting(
      async () => {
        throw new Error('half way');
      },
      { isChange: () => false },
    );
    await expect(fail()).rejects.toThrow('half way');
    expect(cleared).toEqual(['credentials']);
  });

  it('that was none it keeps them', async () => {
    const { cleared, forgetting } = remembering();
    const poll = forgetting(async (next: string | null) => next, { isChange: (next) => next === null });
    await poll('not decided yet');
    expect(cleared).toEqual([]);
    await poll(null);
    expect(cleared).toEqual(['credentials']);
  });
});
