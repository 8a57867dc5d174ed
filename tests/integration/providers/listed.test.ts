import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bodyFor, connect, createConnection, credentials, listed, type Stage, startStage } from './support.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage.stop());

const byPerson = listed.filter(({ flows }) => flows.includes('authorization_code'));

/** Nobody has described these by hand: their stand-ins do as the entry and the standards say. */
describe('a listed provider', () => {
  test.each(byPerson.map((entry) => [entry.id, entry] as const))(
    '%s: connects, lapses and refreshes',
    async (id, provider) => {
      await createConnection(stage, bodyFor(stage, provider, id));
      await connect(stage, id);
      const first = await credentials(stage, id);
      expect(first, first.text).toMatchObject({ status: 200, json: { method: 'saved_token' } });
      if (!provider.flows.includes('refresh_token')) return;
      stage.broker.clock.advance(31_000);
      const next = await credentials(stage, id);
      expect(next, `${next.text} ${JSON.stringify(stage.mock.calls.at(-1))}`).toMatchObject({
        status: 200,
        json: { method: 'refreshed' },
      });
    },
  );

  test('there is no other way to any of them', () => {
    expect(listed.filter((entry) => !byPerson.includes(entry))).toEqual([]);
  });
});
