import type { AuditTrail } from '../audit/audit-trail.ts';
import type { Dependencies } from '../dependencies.ts';

/** What beginning and finishing an authorization take from outside. */
export type AuthorizationNeeds = Pick<
  Dependencies,
  | 'clock'
  | 'random'
  | 'digest'
  | 'connections'
  | 'grants'
  | 'transactions'
  | 'revocations'
  | 'vault'
  | 'providers'
  | 'authorizationServer'
  | 'logger'
  | 'policy'
> & { readonly audit: Pick<AuditTrail, 'about' | 'note'> };
