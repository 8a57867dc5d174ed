import { describe, expect, test } from 'vitest';
import { catalogue } from '../../../src/providers/catalogue.ts';
import { type Comparable, comparableEntry, comparableFacts } from '../../support/facts-of-provider.ts';
import { providerFacts } from '../../support/provider-facts.ts';
import { deviations } from './deviations.ts';

const entryOf = (id: string) => catalogue.find((provider) => provider.id === id);

describe('the catalogue', () => {
  test('has every provider of the facts', () => {
    expect(providerFacts).toHaveLength(64);
    expect(providerFacts.map(({ id }) => id).filter((id) => entryOf(id) === undefined)).toEqual([]);
  });

  test('has nothing listed that the facts do not have', () => {
    const known = new Set(providerFacts.map(({ id }) => id));
    expect(catalogue.filter(({ id, tier }) => tier === 'listed' && !known.has(id)).map(({ id }) => id)).toEqual([]);
  });

  test.each(providerFacts.map((facts) => [facts.id, facts] as const))('says of %s what the facts say', (id, facts) => {
    const provider = entryOf(id);
    if (provider === undefined) return;
    const { why: _why, ...differing } = deviations[id] ?? { why: '' };
    expect(comparableEntry(provider, facts)).toEqual({ ...comparableFacts(facts), ...differing });
  });

  test('deviates from the facts only where it says so, and says why', () => {
    for (const [id, { why, ...differing }] of Object.entries(deviations)) {
      const facts = providerFacts.find((row) => row.id === id);
      expect(facts, id).toBeDefined();
      expect(why, id).not.toBe('');
      if (facts === undefined) continue;
      const stated = comparableFacts(facts);
      for (const facet of Object.keys(differing) as (keyof Comparable)[]) {
        expect(differing[facet], `${id} ${facet} does not deviate`).not.toEqual(stated[facet]);
      }
    }
  });
});
