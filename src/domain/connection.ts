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
  'client_secret_basic_as_user',
  'client_secret_post',
  'private_key_jwt',
  'none',
] as const;
export type ClientAuthMethod = (typeof clientAuthMethods)[number];

/** How assertions are signed. */
export const signingAlgorithms = ['RS256', 'PS256', 'ES256'] as const;
export type SigningAlgorithm = (typeof signingAlgorithms)[number];

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
  /** The client's own credentials serve the organisation where no person's token does. */
  readonly fallbackClientCredentials: boolean;
  /** When the client secret ends, as the administrator knows it. */
  readonly clientSecretExpiresAt: number | null;
  readonly description: string | null;
  readonly tags: readonly string[];
  /** For `GLOBAL` connections: `['*']` or the organisations that may read it. */
  readonly sharedWith: readonly string[];
}

/** What a client signs with. The private key lies in the vault. */
export interface ConnectionSigningKey {
  /** The vault's name for the private key. */
  readonly ref: string;
  /** Random: whoever knows it may read the public key. */
  readonly id: string;
  /** RFC 7517, with `alg`, and `kid` where assertions name it. */
  readonly publicJwk: Readonly<Record<string, string>>;
}

/** An organisation's connection. Times are milliseconds since the epoch. */
export interface Connection extends ConnectionKey {
  readonly config: ConnectionConfig;
  /** The vault's name for the client secret. */
  readonly clientSecretRef: string | null;
  /** The same of the secret before it, until the provider has accepted the new one. */
  readonly previousClientSecretRef: string | null;
  /** The vault's name for the API key that serves the organisation where nothing else does. */
  readonly fallbackApiKeyRef: string | null;
  readonly signingKey: ConnectionSigningKey | null;
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

/** Whether a flow starts with a person at the provider: at its authorization page, or with a code to enter there. */
export function needsPerson(flowType: FlowType): boolean {
  return flowType === 'authorization_code' || flowType === 'device_code';
}

/** Whether a flow gets a token with the client's own credentials alone, so that a token can always be had anew. */
export function mintsTokens(flowType: FlowType): boolean {
  return mintingFlows.has(flowType);
}

const mintingFlows: ReadonlySet<FlowType> = new Set(['client_credentials', 'account_credentials', 'jwt_bearer']);

/** Whether a client signs assertions (RFC 7523), for which it has a key. */
export function signsAssertions({ flowType, clientAuth }: Pick<ConnectionConfig, 'flowType' | 'clientAuth'>): boolean {
  return flowType === 'jwt_bearer' || clientAuth === 'private_key_jwt';
}

/** Everything that lies in the vault for a connection. */
export function secretRefs(connection: Connection): readonly string[] {
  const { clientSecretRef, previousClientSecretRef, fallbackApiKeyRef, signingKey } = connection;
  const references = [clientSecretRef, previousClientSecretRef, fallbackApiKeyRef, signingKey?.ref ?? null];
  return references.filter((reference) => reference !== null);
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

/** How a provider spells scopes. */
export interface ScopeSpelling {
  /** Other names of scopes, and the name that each is compared by. */
  readonly aliases: Readonly<Record<string, string>>;
  /** Without this scope there is no refresh token. */
  readonly offline: string | null;
}

/**
 * The scopes that were asked for and not granted. Empty when the provider said nothing (RFC 6749 section 5.1). Many
 * providers do not repeat the scope for a refresh token: that there is one says that it was granted.
 */
export function missingScopes(
  requested: string | null,
  { grantedScopes, hasRefreshToken = false }: { grantedScopes: string | null; hasRefreshToken?: boolean },
  { aliases, offline }: ScopeSpelling = { aliases: {}, offline: null },
): readonly string[] {
  if (grantedScopes === null) return [];
  const nameOf = (scope: string) => (Object.hasOwn(aliases, scope) ? aliases[scope] : scope);
  const held = new Set(scopeList(grantedScopes).map(nameOf));
  if (hasRefreshToken) for (const scope of ['offline_access', offline ?? '']) held.add(nameOf(scope));
  return scopeList(requested).filter((scope) => !held.has(nameOf(scope)));
}

/** Whether variables have the same values, in whatever order. */
export function areSameVariables(one: ConnectionConfig['variables'], other: ConnectionConfig['variables']): boolean {
  return JSON.stringify(Object.entries(one).sort()) === JSON.stringify(Object.entries(other).sort());
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
