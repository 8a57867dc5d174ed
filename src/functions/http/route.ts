import type { Cookie, HttpRequest } from '@azure/functions';
import type { z } from 'zod';
import type { AuditAction } from '../../domain/audit.ts';
import type { Caller, Role } from '../../domain/caller.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import type { OrgId } from '../../domain/ids.ts';
import type { Broker } from '../../usecases/broker.ts';

/** Who may call a route. There is no default: a route without a permission does not compile. */
export type Permission =
  | { readonly kind: 'public' }
  /** Any caller, whatever the organisation. */
  | { readonly kind: 'caller' }
  /** A caller with one of the roles, acting for one organisation. */
  | { readonly kind: 'organisation'; readonly roles: readonly Role[] };

/** What a call is recorded as. `none`: only what was refused for who asked is recorded, as on every route. */
export type RouteAudit = AuditAction | 'none';

export type Shape = z.ZodType<Readonly<Record<string, unknown>> | undefined>;

export interface RouteRequest<Params extends Shape, Query extends Shape, Body extends Shape> {
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  /** Headers that mean something to the route, for the documentation. */
  readonly headers?: z.ZodType<Readonly<Record<string, unknown>>>;
}

export interface RouteResponse {
  readonly description: string;
  /** Left out: no body, or a page. */
  readonly schema?: z.ZodType;
  readonly isPage?: boolean;
}

/** What a handler gets: everything is checked. */
export interface RouteInput<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly raw: HttpRequest;
}

export interface CallerInput {
  readonly caller: Caller;
}

export interface OrganisationInput extends CallerInput {
  readonly org: OrgId;
}

type Identity<P extends Permission> = P extends { kind: 'organisation' }
  ? OrganisationInput
  : P extends { kind: 'caller' }
    ? CallerInput
    : unknown;

export interface Answer {
  readonly status: number;
  readonly json?: unknown;
  /** A whole page, already escaped. */
  readonly html?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cookies?: readonly Cookie[];
  /** Messages for the refresh queue. */
  readonly queue?: readonly unknown[];
}

/** A route as it is declared. */
export interface RouteDefinition<P extends Permission, Params extends Shape, Query extends Shape, Body extends Shape> {
  /** The function's name in Azure. */
  readonly name: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below the route prefix, with parameters in braces. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly permission: P;
  /** There is no default: a route that does not say what is recorded does not compile. */
  readonly audit: RouteAudit;
  readonly request?: RouteRequest<Params, Query, Body>;
  readonly responses: Readonly<Record<number, RouteResponse>>;
  /** The errors that this route can answer with, beside those of every route. */
  readonly errors?: readonly ErrorCode[];
  /** Errors are shown to a person, as a page. */
  readonly isPage?: boolean;
  /** What is counted beside the calls as a whole, by organisation. */
  readonly limit?: 'authorizations';
  /** The route puts messages on the refresh queue. */
  readonly usesQueue?: boolean;
  readonly handle: (
    broker: Broker,
    input: RouteInput<z.output<Params>, z.output<Query>, z.output<Body>> & Identity<P>,
  ) => Promise<Answer>;
}

/** A route as the table holds it: what it expects is in its schemas. */
export interface Route extends Omit<RouteDefinition<Permission, Shape, Shape, Shape>, 'handle'> {
  readonly handle: (
    broker: Broker,
    input: RouteInput<unknown, unknown, unknown> & Partial<OrganisationInput>,
  ) => Promise<Answer>;
}

type Nothing = z.ZodType<undefined>;

/** Declares a route: the one place that says what it takes, who may call it and what it answers. */
export function defineRoute<
  P extends Permission,
  Params extends Shape = Nothing,
  Query extends Shape = Nothing,
  Body extends Shape = Nothing,
>(definition: RouteDefinition<P, Params, Query, Body>): Route {
  return definition as unknown as Route;
}
