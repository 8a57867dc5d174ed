import type { ConnectionConfig } from '../../domain/connection.ts';
import { type ProviderProfile, unknownProfile } from '../../domain/provider.ts';
import { providerProfile } from '../../domain/provider-templates.ts';
import type { Dependencies } from '../dependencies.ts';

/** How a connection's provider wants to be spoken to. One that the catalogue no longer has is treated as unknown. */
export function profileOf(
  { providers }: Pick<Dependencies, 'providers'>,
  { provider, variables }: Pick<ConnectionConfig, 'provider' | 'variables'>,
): ProviderProfile {
  const known = provider === null ? undefined : providers.get(provider);
  return known === undefined ? unknownProfile : providerProfile(known, variables);
}
