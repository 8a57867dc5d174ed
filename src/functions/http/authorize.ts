import type { HttpRequest } from '@azure/functions';
import { actorOf } from '../../domain/audit.ts';
import {
  type Caller,
  defaultOrg,
  hasOneOf,
  isPlatformCaller,
  KnownCallerRefusedError,
  mayActFor,
} from '../../domain/caller.ts';
import { BrokerError, hasCode } from '../../domain/errors.ts';
import { type OrgId, orgIdPattern, toOrgId } from '../../domain/ids.ts';
import { Secret } from '../../domain/secret.ts';
import type { Broker } from '../../usecases/broker.ts';
import type { PresentedCredentials } from '../../usecases/callers/authenticate.ts';
import { clientAddress, networkOf } from './client-address.ts';
import type { OrganisationInput, Route } from './route.ts';

/**
 * The one place where caller, organisation, role and limits are checked, by what the route table says. Throws
 * `unauthenticated`, `identity_keys_unavailable`, `rate_limited`, `organization_required`, `organization_forbidden` or
 * `role_required`.
 */
export async function authorize(
  route: Route,
  broker: Broker,
  request: HttpRequest,
): Promise<Partial<OrganisationInput>> {
  const { permission } = route;
  if (permission.kind === 'public') return {};
  const named = request.headers.get('x-organization-id')?.trim() ?? '';
  const caller = await authenticated(broker, request, named);
  const org = organisationOf(caller, named);
  broker.audit.about(factsOf(caller, org, named));
  // Calls for no organisation of the caller's are counted as well, together.
  await broker.limits.calls.count(`${caller.id}|${org ?? ''}`);
  if (permission.kind === 'caller') return { caller };
  if (org === undefined) throw organisationRefusal(caller, named);
  if (!hasOneOf(caller, permission.roles)) {
    throw new BrokerError('role_required', `This takes one of the roles: ${permission.roles.join(', ')}.`);
  }
  if (route.limit !== undefined) await broker.limits[route.limit].count(org);
  return { caller, org };
}

/** What the audit log says of who asks. A refused attempt is kept where the caller belongs, not where it wanted to go. */
function factsOf(caller: Caller, org: OrgId | undefined, named: string) {
  const home = defaultOrg(caller) ?? (caller.orgIds[0] as OrgId | undefined) ?? null;
  const isElsewhere = org === undefined && orgIdPattern.test(named);
  return {
    actor: actorOf(caller),
    org: org ?? home,
    detail: { ...(isElsewhere && { requested_org: named }) },
  };
}

/** Only failures are counted by address, so that whoever is known gets in, whatever else comes from there. */
async function authenticated(
  { authenticate, limits, audit }: Broker,
  request: HttpRequest,
  named: string,
): Promise<Caller> {
  try {
    return await authenticate(credentialsOf(request));
  } catch (error) {
    if (error instanceof KnownCallerRefusedError) {
      audit.about(factsOf(error.caller, organisationOf(error.caller, named), named));
    }
    if (hasCode(error, 'unauthenticated', 'organization_forbidden')) {
      await limits.failedAuthentications.count(networkOf(clientAddress(request)));
    }
    throw error;
  }
}

/** What is not of the form `Bearer …`, as a header that was sent twice, is handed on as it is: it must not be passed over. */
function credentialsOf(request: HttpRequest): PresentedCredentials {
  const authorization = request.headers.get('authorization') ?? '';
  return {
    bearer: secretOf(/^Bearer +(\S+)$/i.exec(authorization)?.[1] ?? authorization),
    apiKey: secretOf(request.headers.get('x-api-key')),
  };
}

function secretOf(text: string | null): Secret | undefined {
  return text ? new Secret(text) : undefined;
}

/** The header chooses among what the caller may act for; it never widens that. Undefined: it names nothing of that. */
function organisationOf(caller: Caller, named: string): OrgId | undefined {
  if (named === '') return defaultOrg(caller);
  const org = named as OrgId;
  return orgIdPattern.test(named) && mayActFor(caller, org) ? org : undefined;
}

function organisationRefusal(caller: Caller, named: string): BrokerError {
  if (named === '') {
    return new BrokerError('organization_required', 'Say for which of your organisations: X-Organization-Id.');
  }
  // To a platform caller, who may act for every organisation, this is a mistake in writing.
  if (isPlatformCaller(caller)) toOrgId(named, 'X-Organization-Id');
  return new BrokerError('organization_forbidden', 'You may not act for this organisation.');
}
