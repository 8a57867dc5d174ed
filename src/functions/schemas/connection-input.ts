import { z } from 'zod';
import {
  type ConnectionConfig,
  clientAuthMethods,
  type Endpoints,
  flowTypes,
  noEndpoints,
  scopeSeparators,
  signingAlgorithms,
} from '../../domain/connection.ts';
import { GLOBAL, type OrgId, orgIdPattern } from '../../domain/ids.ts';
import { Secret } from '../../domain/secret.ts';
import type { ConfigInput } from '../../usecases/connections/complete-config.ts';
import type { NewConnection } from '../../usecases/connections/plan-connection.ts';
import type { SigningKeyInput } from '../../usecases/connections/signing-key.ts';
import { connectionName, instant } from './fields.ts';

const url = z.string().min(1).max(2048);
const urlAt = (path: string, description: string) =>
  url.nullish().meta({ description, example: `https://login.example.com${path}` });
const parameters = z.record(z.string().min(1).max(100), z.string().max(2000));
const secret = z.string().min(1).max(16_384).meta({ writeOnly: true, example: 'the-secret-from-the-provider' });

/** The vault refuses larger ones. */
const maxVaultBytes = 25 * 1024;
const clientSecret = secret.refine((text) => Buffer.byteLength(text) <= maxVaultBytes, 'must not exceed 25 KB');

const changeableFields = {
  authorization_url: urlAt('/oauth/authorize', 'Where a person signs in; only authorization_code needs it'),
  issuer: urlAt('', 'Where given, `iss` of the callback and the ID token are checked against it exactly'),
  revocation_url: urlAt('/oauth/revoke', 'Where tokens are revoked (RFC 7009)'),
  introspection_url: urlAt('/oauth/introspect', 'Says what a token is worth (RFC 7662)'),
  userinfo_url: urlAt('/userinfo', 'Says whose account a token is of'),
  test_url: urlAt('/userinfo', 'Called with the token to see whether it works'),
  device_authorization_url: urlAt('/oauth/device', 'Where a device begins (RFC 8628)'),
  pushed_authorization_url: urlAt('/oauth/par', 'Where authorization requests are pushed (RFC 9126)'),
  variables: z
    .record(z.string().regex(/^[a-zA-Z][a-zA-Z0-9_]{0,63}$/), z.string().max(500))
    .nullish()
    .meta({ description: 'What the provider’s addresses leave open', example: { subdomain: 'acme' } }),
  client_secret: clientSecret.nullish(),
  private_key: clientSecret.nullish().meta({
    description:
      'What assertions are signed with (private_key_jwt, jwt_bearer): PEM, a JWK, or a service account’s JSON. For private_key_jwt Bowline makes one where none is given; null makes a new one',
    example: '-----BEGIN PRIVATE KEY-----...',
  }),
  api_key: z
    .string()
    .min(1)
    .max(16_384)
    .regex(/^[\x20-\x7e]+$/, 'must be printable ASCII')
    .nullish()
    .meta({
      writeOnly: true,
      description: 'For oauth_flow_type api_key: what is served',
      example: 'the-key-from-the-provider',
    }),
  signing_algorithm: z
    .enum(signingAlgorithms)
    .nullish()
    .meta({ description: 'Left out: the provider’s, else by the key', example: 'RS256' }),
  client_secret_expires_at: instant.nullish().meta({
    description: 'When it ends, as the provider says: Bowline warns 30 days before. A new secret clears it',
    example: '2036-01-31T00:00:00.000Z',
  }),
  fallback_client_credentials: z.boolean().nullish().meta({
    description: 'Where nobody has authorized, the client’s own credentials serve the organisation',
    example: false,
  }),
  fallback_api_key: clientSecret
    .nullish()
    .meta({ description: 'Serves the organisation where nothing else does', example: 'the-key-from-the-provider' }),
  scopes: z.string().max(4096).nullish().meta({ description: 'Separated by commas or spaces', example: 'read,write' }),
  scope_separator: z.enum(scopeSeparators).nullish().meta({ description: 'How requests send them', example: 'space' }),
  extra_authorize_params: parameters.nullish().meta({ example: { access_type: 'offline' } }),
  extra_token_params: parameters.nullish().meta({ example: { audience: 'https://api.example.com' } }),
  client_auth: z.enum(clientAuthMethods).nullish().meta({ example: 'client_secret_basic' }),
  description: z
    .string()
    .max(1000)
    .nullish()
    .meta({ description: 'For people', example: 'Contacts of the sales team' }),
  tags: z
    .array(z.string().min(1).max(64))
    .max(20)
    .nullish()
    .meta({ example: ['sales'] }),
  shared_with: z
    .array(z.union([z.literal('*'), z.string().regex(orgIdPattern, `must match ${orgIdPattern.source}`)]))
    .max(500)
    .nullish()
    .meta({ description: 'For connections of GLOBAL: ["*"], or the organisations that may use it', example: ['*'] }),
};

const clientId = z.string().min(1).max(1024).meta({ example: 'client-id-from-the-provider' });

export const createBody = z
  .strictObject({
    connection_name: connectionName,
    oauth_flow_type: z.enum(flowTypes).meta({ example: 'client_credentials' }),
    client_id: clientId.optional().meta({ description: 'Needed by every flow but api_key' }),
    provider: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'must be an id of the catalogue')
      .nullish()
      .meta({ description: 'An entry of the catalogue, which gives the endpoints', example: 'oidc' }),
    token_url: url.optional().meta({
      description: 'Needed without `provider` and `issuer`',
      example: 'https://login.example.com/oauth/token',
    }),
    refresh_token: secret.nullish(),
    ...changeableFields,
  })
  .meta({
    id: 'NewConnection',
    example: {
      connection_name: 'crm',
      oauth_flow_type: 'client_credentials',
      client_id: 'client-id-from-the-provider',
      client_secret: 'the-secret-from-the-provider',
      authorization_url: 'https://login.example.com/oauth/authorize',
      token_url: 'https://login.example.com/oauth/token',
      scopes: 'read,write',
    },
  });

export const updateBody = z
  .strictObject({
    client_id: clientId.optional().meta({ example: 'client-id-from-the-provider' }),
    token_url: url.optional().meta({ example: 'https://login.example.com/oauth/token' }),
    ...changeableFields,
  })
  .meta({
    id: 'ConnectionUpdate',
    description: 'Fields left out stay as they are; null clears.',
    example: { description: 'Contacts of the sales team', tags: ['sales'] },
  });

type CreateBody = z.output<typeof createBody>;
type UpdateBody = z.output<typeof updateBody>;

/** What a body says of the key that the connection signs with. */
export function signingKeyOf(body: Pick<UpdateBody, 'private_key' | 'signing_algorithm'>): SigningKeyInput {
  const { private_key: text, signing_algorithm: algorithm } = body;
  return { privateKey: typeof text === 'string' ? new Secret(text) : text, algorithm: algorithm ?? null };
}

/** What a create body asks for. */
export function newConnectionOf(
  body: CreateBody,
  { org, callerId, connect }: Pick<NewConnection, 'org' | 'callerId' | 'connect'>,
): NewConnection {
  return {
    org,
    callerId,
    connect,
    name: body.connection_name,
    config: configOf(body, org),
    clientSecret: secretOf(body.client_secret),
    fallbackApiKey: secretOf(body.fallback_api_key),
    signingKey: signingKeyOf(body),
    apiKey: secretOf(body.api_key),
    refreshToken: secretOf(body.refresh_token),
  };
}

function secretOf(given: string | null | undefined): Secret | null {
  return given ? new Secret(given) : null;
}

/** The configuration that a create body describes. */
export function configOf(body: CreateBody, org: OrgId): ConfigInput {
  return {
    flowType: body.oauth_flow_type,
    provider: body.provider ?? null,
    variables: body.variables ?? {},
    clientId: body.client_id ?? '',
    clientAuth: body.client_auth ?? null,
    endpoints: changedEndpoints({ ...noEndpoints, tokenUrl: '' }, body),
    scopes: body.scopes ?? null,
    scopeSeparator: body.scope_separator ?? null,
    extraAuthorizeParams: body.extra_authorize_params ?? {},
    extraTokenParams: body.extra_token_params ?? {},
    fallbackClientCredentials: body.fallback_client_credentials ?? false,
    clientSecretExpiresAt: body.client_secret_expires_at ?? null,
    description: body.description ?? null,
    tags: body.tags ?? [],
    sharedWith: body.shared_with ?? defaultSharing(org),
  };
}

/** A configuration with the named fields changed. */
export function changedConfig(config: ConnectionConfig, body: UpdateBody, org: OrgId): ConnectionConfig {
  return {
    ...config,
    clientId: body.client_id ?? config.clientId,
    clientAuth: changed(body.client_auth, config.clientAuth, 'client_secret_basic'),
    variables: changed(body.variables, config.variables, {}),
    endpoints: changedEndpoints(config.endpoints, body),
    scopes: changed(body.scopes, config.scopes, null),
    scopeSeparator: changed(body.scope_separator, config.scopeSeparator, 'space'),
    extraAuthorizeParams: changed(body.extra_authorize_params, config.extraAuthorizeParams, {}),
    extraTokenParams: changed(body.extra_token_params, config.extraTokenParams, {}),
    fallbackClientCredentials: changed(body.fallback_client_credentials, config.fallbackClientCredentials, false),
    clientSecretExpiresAt: changed(
      body.client_secret_expires_at,
      body.client_secret === undefined ? config.clientSecretExpiresAt : null,
      null,
    ),
    description: changed(body.description, config.description, null),
    tags: changed(body.tags, config.tags, []),
    sharedWith: changed(body.shared_with, config.sharedWith, defaultSharing(org)),
  };
}

function changedEndpoints(before: Endpoints, body: UpdateBody): Endpoints {
  return {
    ...before,
    authorizationUrl: changed(body.authorization_url, before.authorizationUrl, null),
    tokenUrl: body.token_url ?? before.tokenUrl,
    issuer: changed(body.issuer, before.issuer, null),
    revocationUrl: changed(body.revocation_url, before.revocationUrl, null),
    introspectionUrl: changed(body.introspection_url, before.introspectionUrl, null),
    userinfoUrl: changed(body.userinfo_url, before.userinfoUrl, null),
    testUrl: changed(body.test_url, before.testUrl, null),
    deviceAuthorizationUrl: changed(body.device_authorization_url, before.deviceAuthorizationUrl, null),
    pushedAuthorizationUrl: changed(body.pushed_authorization_url, before.pushedAuthorizationUrl, null),
  };
}

/** Left out: as before. Null: cleared. */
function changed<Value>(given: Value | null | undefined, before: Value, cleared: Value): Value {
  return given === undefined ? before : (given ?? cleared);
}

function defaultSharing(org: OrgId): readonly string[] {
  return org === GLOBAL ? ['*'] : [];
}
