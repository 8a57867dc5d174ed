import {
  type Connection,
  type ConnectionKey,
  type ConnectionSigningKey,
  clientAuthMethods,
  flowTypes,
  scopeSeparators,
} from '../../domain/connection.ts';
import type { GrantKey } from '../../domain/grant.ts';
import type { ConnectionName, OrgId } from '../../domain/ids.ts';
import type { StoredConnection } from '../../ports/connection-store.ts';
import { type ColumnReader, type Columns, columnReader, jsonColumn, numberColumn, textColumn } from './columns.ts';
import { grantColumns, toStoredGrant } from './grant-row.ts';
import type { Place, Row } from './table.ts';

/** Everything but the sealed tokens. */
export const connectionColumns: readonly string[] = [
  'flow_type',
  'provider',
  'variables',
  'client_id',
  'client_auth',
  'authorization_url',
  'token_url',
  'refresh_url',
  'issuer',
  'revocation_url',
  'introspection_url',
  'userinfo_url',
  'test_url',
  'device_authorization_url',
  'pushed_authorization_url',
  'scopes',
  'scope_separator',
  'extra_authorize_params',
  'extra_token_params',
  'fallback_client_credentials',
  'client_secret_expires_at',
  'description',
  'tags',
  'shared_with',
  'client_secret_ref',
  'signing_key_ref',
  'signing_key_id',
  'signing_key_public',
  'previous_client_secret_ref',
  'fallback_api_key_ref',
  'endpoints_id',
  'revision',
  'created_at',
  'created_by',
  'updated_at',
  'last_test_at',
  ...grantColumns,
];

export function connectionPlace(key: ConnectionKey): Place {
  return { partitionKey: key.org, rowKey: key.name };
}

/** The key of the organisation's own grant. */
export function ownGrantKey({ org, name }: ConnectionKey): GrantKey {
  return { connectionOrg: org, org, connection: name, userId: null };
}

export function toConnectionColumns({ config, ...connection }: Connection): Columns {
  const { endpoints } = config;
  return {
    flow_type: config.flowType,
    provider: textColumn(config.provider),
    variables: jsonColumn(config.variables),
    client_id: config.clientId,
    client_auth: config.clientAuth,
    authorization_url: textColumn(endpoints.authorizationUrl),
    token_url: endpoints.tokenUrl,
    refresh_url: textColumn(endpoints.refreshUrl),
    issuer: textColumn(endpoints.issuer),
    revocation_url: textColumn(endpoints.revocationUrl),
    introspection_url: textColumn(endpoints.introspectionUrl),
    userinfo_url: textColumn(endpoints.userinfoUrl),
    test_url: textColumn(endpoints.testUrl),
    device_authorization_url: textColumn(endpoints.deviceAuthorizationUrl),
    pushed_authorization_url: textColumn(endpoints.pushedAuthorizationUrl),
    scopes: textColumn(config.scopes),
    scope_separator: config.scopeSeparator,
    extra_authorize_params: jsonColumn(config.extraAuthorizeParams),
    extra_token_params: jsonColumn(config.extraTokenParams),
    fallback_client_credentials: config.fallbackClientCredentials,
    client_secret_expires_at: numberColumn(config.clientSecretExpiresAt),
    description: textColumn(config.description),
    tags: jsonColumn(config.tags),
    shared_with: jsonColumn(config.sharedWith),
    client_secret_ref: textColumn(connection.clientSecretRef),
    signing_key_ref: textColumn(connection.signingKey?.ref ?? null),
    signing_key_id: textColumn(connection.signingKey?.id ?? null),
    signing_key_public: jsonColumn(connection.signingKey?.publicJwk ?? null),
    previous_client_secret_ref: textColumn(connection.previousClientSecretRef),
    fallback_api_key_ref: textColumn(connection.fallbackApiKeyRef),
    endpoints_id: connection.endpointsId,
    revision: connection.revision,
    created_at: numberColumn(connection.createdAt),
    created_by: connection.createdBy,
    updated_at: numberColumn(connection.updatedAt),
    last_test_at: numberColumn(connection.lastTestAt),
  };
}

/** A connection with the organisation's own grant. Throws `MalformedRowError` for a row that makes no sense. */
export function toStoredConnection(row: Row): StoredConnection {
  const connection = toConnection(row);
  return { connection, own: toStoredGrant(ownGrantKey(connection), row) };
}

function signingKeyOf(read: ColumnReader): ConnectionSigningKey | null {
  const ref = read.optionalText('signing_key_ref');
  if (ref === null) return null;
  const publicJwk = read.json<ConnectionSigningKey['publicJwk']>('signing_key_public') ?? {};
  return { ref, id: read.text('signing_key_id'), publicJwk };
}

function toConnection({ partitionKey, rowKey, columns }: Row): Connection {
  const read = columnReader(columns);
  return {
    org: partitionKey as OrgId,
    name: rowKey as ConnectionName,
    config: {
      flowType: read.oneOf('flow_type', flowTypes),
      provider: read.optionalText('provider'),
      variables: read.json<Record<string, string>>('variables') ?? {},
      clientId: read.text('client_id'),
      clientAuth: read.oneOf('client_auth', clientAuthMethods),
      endpoints: {
        authorizationUrl: read.optionalText('authorization_url'),
        tokenUrl: read.text('token_url'),
        refreshUrl: read.optionalText('refresh_url'),
        issuer: read.optionalText('issuer'),
        revocationUrl: read.optionalText('revocation_url'),
        introspectionUrl: read.optionalText('introspection_url'),
        userinfoUrl: read.optionalText('userinfo_url'),
        testUrl: read.optionalText('test_url'),
        deviceAuthorizationUrl: read.optionalText('device_authorization_url'),
        pushedAuthorizationUrl: read.optionalText('pushed_authorization_url'),
      },
      scopes: read.optionalText('scopes'),
      scopeSeparator: read.oneOf('scope_separator', scopeSeparators),
      extraAuthorizeParams: read.json<Record<string, string>>('extra_authorize_params') ?? {},
      extraTokenParams: read.json<Record<string, string>>('extra_token_params') ?? {},
      fallbackClientCredentials: read.flag('fallback_client_credentials'),
      clientSecretExpiresAt: read.optionalNumber('client_secret_expires_at'),
      description: read.optionalText('description'),
      tags: read.json<readonly string[]>('tags') ?? [],
      sharedWith: read.json<readonly string[]>('shared_with') ?? [],
    },
    clientSecretRef: read.optionalText('client_secret_ref'),
    signingKey: signingKeyOf(read),
    previousClientSecretRef: read.optionalText('previous_client_secret_ref'),
    fallbackApiKeyRef: read.optionalText('fallback_api_key_ref'),
    endpointsId: read.text('endpoints_id'),
    revision: read.text('revision'),
    createdAt: read.number('created_at'),
    createdBy: read.text('created_by'),
    updatedAt: read.number('updated_at'),
    lastTestAt: read.optionalNumber('last_test_at'),
  };
}
