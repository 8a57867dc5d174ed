import { describe, expect, test } from 'vitest';
import { catalogueEntries, catalogueModule } from '../../../scripts/providers/catalogue-module.ts';
import { providersPage } from '../../../scripts/providers/page.ts';
import { catalogue } from '../../../src/providers/catalogue.ts';
import { createCatalogue } from '../../../src/providers/create-catalogue.ts';
import { knownProviders } from '../../../src/providers/known-providers.ts';
import { readPage, tableRows, unquoted } from '../../support/markdown.ts';

const [first, second] = catalogue as [(typeof catalogue)[0], (typeof catalogue)[0]];
const entries = await catalogueEntries();

describe('the catalogue of providers', () => {
  test('is sorted by id, and has each once', () => {
    const ids = catalogue.map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)].toSorted());
    expect(knownProviders.list().map(({ id }) => id)).toEqual(ids);
  });

  test('finds an entry by its id, and nothing by what every object has', () => {
    expect(knownProviders.get(first.id)).toBe(first);
    expect(knownProviders.get('constructor')).toBeUndefined();
    expect(knownProviders.get('')).toBeUndefined();
  });

  test('is not used while an entry is faulty, and says which', () => {
    const faulty = createCatalogue([first, { ...second, name: '', flows: [] }]);
    expect(() => faulty.get(first.id)).toThrow(
      new RegExp(`^The catalogue of providers is faulty:\\n${second.id}: name: .*\\n${second.id}: flows: `),
    );
    expect(() => faulty.list()).toThrow('The catalogue of providers is faulty');
  });

  test('does not take two entries of one id', () => {
    expect(() => createCatalogue([first, first]).list()).toThrow('an id stands for two entries');
  });

  test('has every file of the folder: npm run providers was run', () => {
    expect(readPage('src/providers/catalogue.ts')).toBe(catalogueModule(entries));
  });
});

describe('docs/providers.md', () => {
  const page = readPage('docs/providers.md');

  test('is what npm run providers makes of the catalogue', () => {
    expect(page === providersPage(catalogue), 'npm run providers makes another').toBe(true);
  });

  test('has a row for every provider, with its tier', () => {
    const rows = tableRows(page).map(([id, , tier]) => [unquoted(id), tier]);
    expect(rows).toEqual(catalogue.map(({ id, tier }) => [id, tier]));
  });
});
