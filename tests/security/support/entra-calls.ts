import type { Role } from '../../../src/domain/caller.ts';
import type { EntraAuthority } from '../../support/entra-authority.ts';
import type { Call, Result, TestBroker } from '../../support/test-broker.ts';

/** The principal that the authority's tokens name where nothing else is said. */
export const objectId = '0b1ec700-0000-4000-8000-000000000001';

export interface Registration {
  readonly object_id?: string;
  readonly tenant_id?: string;
  readonly org_ids?: readonly string[];
  readonly roles?: readonly Role[];
  readonly expires_at?: string | null;
}

/** Registers a principal, by default that of the authority's tokens, for ORG1. */
export function register(
  broker: TestBroker,
  { tenantId }: EntraAuthority,
  changes: Registration = {},
  call: Call = {},
): Promise<Result> {
  const body = {
    kind: 'entra',
    name: 'a principal',
    object_id: objectId,
    tenant_id: tenantId,
    org_ids: ['ORG1'],
    ...changes,
  };
  return broker.call('POST', '/api/oauth/callers', { ...call, body });
}

/** Calls with a bearer token and nothing else. */
export function withToken(broker: TestBroker, token: string, path = '/api/oauth/me', call: Call = {}): Promise<Result> {
  return broker.call('GET', path, { org: null, ...call, key: null, headers: { authorization: `Bearer ${token}` } });
}
