import type { PipelinePolicy } from '@azure/core-rest-pipeline';
import { beforeAll, describe, expect, it } from 'vitest';
import { createTablesHarness, type TablesHarness } from '../support/tables-harness.ts';
import { claimed, connected, never } from './grant-lease.contract.ts';

let harness: TablesHarness;
beforeAll(async () => {
  harness = await createTablesHarness();
});

/** The same tables when storage's clock has gone on. */
function later(milliseconds: number) {
  const policy: PipelinePolicy = {
    name: 'later',
    async sendRequest(request, next) {
      const response = await next(request);
      const date = Date.parse(response.headers.get('date') ?? '');
      response.headers.set('date', new Date(date + milliseconds).toUTCString());
      return response;
    },
  };
  return harness.another({ policies: [policy] }).grants;
}

describe('a lease whose holder says nothing more', () => {
  it('is held for its whole 30 s by storage’s clock, whatever the machine’s says', async () => {
    const stored = await connected(harness.stores, 'held');
    await claimed(harness.stores.grants, stored);
    for (const seconds of [0, 10, 20, 28]) {
      const result = await later(seconds * 1000).claim(stored, never);
      expect({ seconds, kind: result.kind }).toEqual({ seconds, kind: 'busy' });
    }
  });

  it('is taken over after that', async () => {
    const stored = await connected(harness.stores, 'over');
    await claimed(harness.stores.grants, stored);
    expect(await claimed(later(32_000), stored)).toMatchObject({ isTakeover: true });
  });
});
