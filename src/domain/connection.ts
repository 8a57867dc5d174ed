import type { ConnectionName, OrgId } from './ids.ts';

export const flowTypes = [
  'authorization_code',
  'client_credentials',
  'refresh_token',
  'account_credentials',
  'jwt_bearer',
  'device_code',
  'token_exchange',
  'api_key',
] as const;
export type FlowType = (typeof flowTypes)[number];

export const clientAuthMethods = [
  'client_secret_basic',
  'client_secret_basic_raw',
  'client_secret_post',
  'private_key_jwt',
  'none',
] as const;
export type ClientAuthMethod = (typeof clientAuthMethods)[number];

export const scopeSeparators = ['space', 'comma'] as const;
export type ScopeSeparator = (typeof scopeSeparators)[number];

export interface ConnectionKey {
  readonly org: OrgId;
  readonly name: ConnectionName;
}

/** Where a connection sends people, tokens and secrets. */
export interface Endpoints {
  readonly authorizationUrl: string | null;
  readonly tokenUrl: string;
  /** Where refresh tokens are used, when that is not the token endpoint. */
  readonly refreshUrl: string | null;
  /** Where it is known, `iss` of the callback and an ID token are checked against it exactly. */
  readonly issuer: string | null;
  readonly revocationUrl: string | null;
  /** RFC 7662. */
  readonly introspectionUrl: string | null;
  readonly userinfoUrl: string | null;
  readonly testUrl: string | null;
  /** RFC 8628. */
  readonly deviceAuthorizationUrl: string | null;
  /** RFC 9126. */
  readonly pushedAuthorizationUrl: string | null;
}

/** No endpoint but the token endpoint. */
export const noEndpoints: Omit<Endpoints, 'tokenUrl'> = {
  authorizationUrl: null,
  refreshUrl: null,
  issuer: null,
  revocationUrl: null,
  introspectionUrl: null,
  userinfoUrl: null,
  testUrl: null,
  deviceAuthorizationUrl: null,
  pushedAuthorizationUrl: null,
};

/** What an administrator configures. The client secret lies in the vault, not here. */
export interface ConnectionConfig {
  readonly flowType: FlowType;
  /** The catalogue's id. Null: only the endpoints are known. */
  readonly provider: string | null;
  /** What the provider's addresses and parameters leave open. */
  readonly variables: Readonly<Record<string, string>>;
  readonly clientId: string;
  readonly clientAuth: ClientAuthMethod;
  readonly endpoints: Endpoints;
  /** As it was given, with commas or spaces. */
  readonly scopes: string | null;
  readonly scopeSeparator: ScopeSeparator;
  readonly extraAuthorizeParams: Readonly<Record<string, string>>;
  readonly extraTokenParams: Readonly<Record<string, string>>;
  readonly description: string | null;
  readonly tags: readonly string[];
  /** For `GLOBAL` connections: `['*']` or the organisations that may read it. */
  readonly sharedWith: readonly string[];
}

/** An organisation's connection. Times are milliseconds since the epoch. */
export interface Connection extends ConnectionKey {
  readonly config: ConnectionConfig;
  /** The vault's name for the client secret. */
  readonly clientSecretRef: string | null;
  /**
   * Names the endpoints, client and scopes in force: random, new at creation and whenever one of them changes.
   * A grant or a transaction that was begun under another one must not meet the new endpoints.
   */
  readonly endpointsId: string;
  /** New at each change of the configuration: what an `ETag` of the API shows. */
  readonly revision: string;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly updatedAt: number;
  readonly lastTestAt: number | null;
}

/** Whether a flow starts with a person at the provider's authorization page. */
export function needsPerson(flowType: FlowType): boolean {
  return flowType === 'authorization_code';
}

/** Whether a flow gets a token with the client's own credentials alone, so that a token can always be had anew. */
export function mintsTokens(flowType: FlowType): boolean {
  return flowType === 'client_credentials';
}

/** The scopes one by one, whatever separated them. */
export function scopeList(scopes: string | null): readonly string[] {
  return (scopes ?? '').split(/[\s,]+/).filter((scope) => scope !== '');
}

/** The scopes as a request sends them, or undefined when there are none. */
export function scopeParameter(config: Pick<ConnectionConfig, 'scopes' | 'scopeSeparator'>): string | undefined {
  const list = scopeList(config.scopes);
  return list.length === 0 ? undefined : list.join(config.scopeSeparator === 'comma' ? ',' : ' ');
}

/** The scopes that were asked for and not granted. Empty when the provider said nothing (RFC 6749 section 5.1). */
export function missingScopes(requested: string | null, granted: string | null): readonly string[] {
  if (granted === null) return [];
  const held = new Set(scopeList(granted));
  return scopeList(requested).filter((scope) => !held.has(scope));
}

/**
 * Whether a change must drop the tokens: they belong to the endpoints, client and scopes that they were issued under,
 * and must not be sent elsewhere.
 */
export function changesEndpoints(before: ConnectionConfig, after: ConnectionConfig): boolean {
  return JSON.stringify(endpointsOf(before)) !== JSON.stringify(endpointsOf(after));
}

function endpointsOf({ endpoints: e, ...config }: ConnectionConfig): unknown {
  return [
    Object.entries(e).sort(),
    Object.entries(config.variables).sort(),
    [config.clientId, config.clientAuth, scopeList(config.scopes), config.scopeSeparator],
    [Object.entries(config.extraAuthorizeParams).sort(), Object.entries(config.extraTokenParams).sort()],
  ];
}

/** Whether a `GLOBAL` connection is shared with an organisation. */
export function isSharedWith(connection: Connection, org: OrgId): boolean {
  const { sharedWith } = connection.config;
  return sharedWith.includes('*') || sharedWith.includes(org);
}
