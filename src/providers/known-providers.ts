import type { ProviderCatalogue } from '../ports/provider-catalogue.ts';
import { catalogue } from './catalogue.ts';

const byId = new Map(catalogue.map((provider) => [provider.id, provider]));

/** Every provider that has a file in this folder. */
export const knownProviders: ProviderCatalogue = {
  get: (id) => byId.get(id),
  list: () => catalogue,
};
