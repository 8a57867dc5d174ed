import { isPlatformCaller } from '../../domain/caller.ts';
import { BrokerError } from '../../domain/errors.ts';
import { GLOBAL } from '../../domain/ids.ts';
import type { OrganisationInput } from './route.ts';

/**
 * For what concerns every organisation: only a caller with `["*"]` acts for `GLOBAL`. Throws `organization_forbidden`
 * for everybody else, and for a platform caller who acts for one organisation.
 */
export function assertForPlatform({ caller, org }: OrganisationInput): void {
  if (org === GLOBAL && isPlatformCaller(caller)) return;
  throw new BrokerError(
    'organization_forbidden',
    'This concerns every organisation: a platform caller acts for GLOBAL.',
  );
}
