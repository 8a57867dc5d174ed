import { catalogue } from './catalogue.ts';
import { createCatalogue } from './create-catalogue.ts';

/** Every provider that has a file in this folder. */
export const knownProviders = createCatalogue(catalogue);
