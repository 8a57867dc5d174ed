import type { HttpRequest } from '@azure/functions';
import { type Caller, defaultOrg, hasOneOf, isPlatformCaller, mayActFor } from '../../domain/caller.ts';
import { BrokerError } from '../../domain/errors.ts';
import { type OrgId, orgIdPattern, toOrgId } from '../../domain/ids.ts';
import { Secret } from '../../domain/secret.ts';
import type { Broker } from '../../usecases/broker.ts';
import type { OrganisationInput, Route } from './route.ts';

/**
 * The one place where caller, organisation and role are checked, by what the route table says. Throws
 * `unauthenticated`, `organization_required`, `organization_forbidden` or `role_required`.
 */
export async function authorize(
  route: Route,
  broker: Broker,
  request: HttpRequest,
): Promise<Partial<OrganisationInput>> {
  const { permission } = route;
  if (permission.kind === 'public') return {};
  const caller = await broker.authenticate(apiKeyOf(request));
  if (permission.kind === 'caller') return { caller };
  const org = organisationOf(caller, request.headers.get('x-organization-id'));
  if (!hasOneOf(caller, permission.roles)) {
    throw new BrokerError('role_required', `This takes one of the roles: ${permission.roles.join(', ')}.`);
  }
  return { caller, org };
}

function apiKeyOf(request: HttpRequest): Secret | undefined {
  const bearer = /^Bearer +(\S+)$/i.exec(request.headers.get('authorization') ?? '')?.[1];
  const key = bearer ?? request.headers.get('x-api-key');
  return key ? new Secret(key) : undefined;
}

/** The header chooses among what the caller may act for; it never widens that. */
function organisationOf(caller: Caller, header: string | null): OrgId {
  const named = header?.trim() ?? '';
  if (named !== '') {
    if (isPlatformCaller(caller)) return toOrgId(named, 'X-Organization-Id');
    const org = named as OrgId;
    if (orgIdPattern.test(named) && mayActFor(caller, org)) return org;
    throw new BrokerError('organization_forbidden', 'You may not act for this organisation.');
  }
  const org = defaultOrg(caller);
  if (org !== undefined) return org;
  throw new BrokerError('organization_required', 'Say for which of your organisations: X-Organization-Id.');
}
