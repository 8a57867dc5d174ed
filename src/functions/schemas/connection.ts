import { z } from 'zod';
import { everyOrganisation } from '../../domain/caller.ts';
import {
  type Connection,
  clientAuthMethods,
  flowTypes,
  missingScopes,
  type ScopeSpelling,
  scopeSeparators,
  signingAlgorithms,
} from '../../domain/connection.ts';
import { warningCodes, warningsOf } from '../../domain/connection-warnings.ts';
import { sweepAt } from '../../domain/due.ts';
import { connectionStatuses, type Grant, statusReasons } from '../../domain/grant.ts';
import { visibleStatus } from '../../domain/grant-status.ts';
import type { OrgId } from '../../domain/ids.ts';
import type { StoredConnection } from '../../ports/connection-store.ts';
import { iso, isoTime } from './fields.ts';

export const statusFields = {
  status: z.enum(connectionStatuses),
  status_reason: z.enum(statusReasons).nullable(),
  status_message: z.string().nullable(),
};

const summaryFields = {
  connection_name: z.string(),
  provider: z.string().nullable(),
  oauth_flow_type: z.enum(flowTypes),
  ...statusFields,
  expires_at: isoTime.nullable(),
  last_refresh_at: isoTime.nullable(),
  org_id: z.string(),
  created_at: isoTime,
  updated_at: isoTime,
  client_secret_expires_at: isoTime.nullable(),
  tags: z.array(z.string()),
};

export const connectionSummary = z.object(summaryFields).meta({ id: 'ConnectionSummary' });

export const failureSchema = z.object({
  code: z.string(),
  message: z.string(),
  since: isoTime,
  attempts: z.number(),
});

export const connectionDetail = z
  .object({
    ...summaryFields,
    client_id: z.string(),
    client_auth: z.enum(clientAuthMethods),
    authorization_url: z.string().nullable(),
    token_url: z.string(),
    issuer: z.string().nullable(),
    revocation_url: z.string().nullable(),
    introspection_url: z.string().nullable(),
    userinfo_url: z.string().nullable(),
    test_url: z.string().nullable(),
    device_authorization_url: z.string().nullable(),
    pushed_authorization_url: z.string().nullable(),
    variables: z.record(z.string(), z.string()),
    scopes: z.string().nullable(),
    scope_separator: z.enum(scopeSeparators),
    extra_authorize_params: z.record(z.string(), z.string()),
    extra_token_params: z.record(z.string(), z.string()),
    fallback_client_credentials: z.boolean(),
    description: z.string().nullable(),
    shared_with: z.array(z.string()),
    granted_scopes: z.string().nullable(),
    missing_scopes: z.array(z.string()),
    redirect_uri: z.string().nullable().meta({ description: 'The URL to register at the provider' }),
    has_client_secret: z.boolean(),
    signing_algorithm: z.enum(signingAlgorithms).nullable(),
    jwks_uri: z.string().nullable().meta({ description: 'The URL of the public key, to register at the provider' }),
    has_previous_client_secret: z.boolean().meta({ description: 'Kept until the provider has accepted the new one' }),
    has_fallback_api_key: z.boolean(),
    has_refresh_token: z.boolean(),
    last_test_at: isoTime.nullable(),
    next_refresh_at: isoTime.nullable(),
    created_by: z.string(),
    pending_authorization: z.boolean(),
    failure: failureSchema.nullable(),
    warnings: z
      .array(z.object({ code: z.enum(warningCodes), message: z.string() }))
      .meta({ description: 'What somebody should see to before it fails' }),
  })
  .meta({ id: 'ConnectionDetail' });

export type ConnectionSummary = z.input<typeof connectionSummary>;
export type ConnectionDetail = z.input<typeof connectionDetail>;

export function presentSummary({ connection, own }: StoredConnection, now: number): ConnectionSummary {
  const { name, org, config, createdAt, updatedAt } = connection;
  const seen = visibleStatus(own.grant, config.flowType, now);
  return {
    connection_name: name,
    provider: config.provider,
    oauth_flow_type: config.flowType,
    status: seen.status,
    status_reason: seen.statusReason,
    status_message: seen.statusMessage,
    expires_at: iso(own.grant.expiresAt),
    last_refresh_at: iso(own.grant.lastRefreshAt),
    org_id: org,
    created_at: new Date(createdAt).toISOString(),
    updated_at: new Date(updatedAt).toISOString(),
    client_secret_expires_at: iso(config.clientSecretExpiresAt),
    tags: [...config.tags],
  };
}

export function presentDetail(
  stored: StoredConnection,
  view: { readonly now: number; readonly publicBaseUrl: string; readonly org: OrgId; readonly spelling: ScopeSpelling },
): ConnectionDetail {
  const { connection, own } = stored;
  const { config } = connection;
  const { grant } = own;
  return {
    ...presentSummary(stored, view.now),
    client_id: config.clientId,
    client_auth: config.clientAuth,
    authorization_url: config.endpoints.authorizationUrl,
    token_url: config.endpoints.tokenUrl,
    issuer: config.endpoints.issuer,
    revocation_url: config.endpoints.revocationUrl,
    introspection_url: config.endpoints.introspectionUrl,
    userinfo_url: config.endpoints.userinfoUrl,
    test_url: config.endpoints.testUrl,
    device_authorization_url: config.endpoints.deviceAuthorizationUrl,
    pushed_authorization_url: config.endpoints.pushedAuthorizationUrl,
    variables: { ...config.variables },
    scopes: config.scopes,
    scope_separator: config.scopeSeparator,
    extra_authorize_params: { ...config.extraAuthorizeParams },
    extra_token_params: { ...config.extraTokenParams },
    fallback_client_credentials: config.fallbackClientCredentials,
    description: config.description,
    shared_with: sharedWith(connection, view.org),
    granted_scopes: grant.grantedScopes,
    missing_scopes: [...missingScopes(config.scopes, grant, view.spelling)],
    redirect_uri:
      config.flowType === 'authorization_code' ? `${view.publicBaseUrl}/api/oauth/callback/${connection.name}` : null,
    has_client_secret: connection.clientSecretRef !== null,
    signing_algorithm: signingAlgorithms.find((name) => name === connection.signingKey?.publicJwk.alg) ?? null,
    jwks_uri: jwksUri(connection, view.publicBaseUrl),
    has_previous_client_secret: connection.previousClientSecretRef !== null,
    has_fallback_api_key: connection.fallbackApiKeyRef !== null,
    has_refresh_token: grant.hasRefreshToken,
    last_test_at: iso(connection.lastTestAt),
    next_refresh_at: iso(sweepAt(grant) ?? grant.failure?.retryAt ?? null),
    created_by: connection.createdBy,
    pending_authorization: visibleStatus(grant, config.flowType, view.now).pendingAuthorization,
    failure: presentFailure(grant),
    warnings: warningsOf(connection, grant, view.now),
  };
}

function jwksUri({ org, name, signingKey }: Connection, publicBaseUrl: string): string | null {
  return signingKey === null ? null : `${publicBaseUrl}/api/oauth/jwks/${org}/${name}/${signingKey.id}`;
}

/** Who else shares a connection is for its owner to know. */
function sharedWith({ org, config }: Connection, reader: OrgId): string[] {
  return config.sharedWith.filter((shared) => reader === org || shared === everyOrganisation || shared === reader);
}

export function presentFailure({ failure }: Grant): z.input<typeof failureSchema> | null {
  if (failure === null) return null;
  const { code, message, since, attempts } = failure;
  return { code, message, since: new Date(since).toISOString(), attempts };
}
