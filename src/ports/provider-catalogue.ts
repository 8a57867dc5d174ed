import type { Provider } from '../domain/provider.ts';

/** The providers that are known by name. */
export interface ProviderCatalogue {
  get(id: string): Provider | undefined;
  /** All of them, by id. */
  list(): readonly Provider[];
}
