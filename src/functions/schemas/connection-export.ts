import { z } from 'zod';
import { type Connection, signingAlgorithms } from '../../domain/connection.ts';
import { GLOBAL } from '../../domain/ids.ts';
import { createBody } from './connection-input.ts';
import { iso, isoTime } from './fields.ts';

/** What an export leaves out of the create body, and an import may give. */
export const secretFields = ['client_secret', 'refresh_token', 'private_key', 'api_key', 'fallback_api_key'] as const;

const version = z.literal(1).meta({ description: 'Of the form of this document' });
export const mostImported = 200;

const exportedConnection = createBody
  .omit(Object.fromEntries(secretFields.map((name) => [name, true])) as Record<(typeof secretFields)[number], true>)
  .meta({ id: 'ExportedConnection' });

type ExportedConnection = z.input<typeof exportedConnection>;

const pageFields = {
  org_id: z.string(),
  exported_at: isoTime,
  count: z.number(),
  continuation: z.string().nullable(),
};

/** A page of an export, as it is answered: the times and transforms of the create body are texts here. */
export const exportDocument = z
  .object({ version, ...pageFields, connections: z.array(z.record(z.string(), z.unknown())) })
  .meta({ id: 'ConnectionExport' });

/** The same page is a whole import. Each row is checked by itself: one that is wrong does not refuse the others. */
export const importDocument = z
  .strictObject({
    version,
    connections: z
      .array(z.unknown())
      .min(1)
      .max(mostImported)
      .meta({ description: `Up to ${mostImported}, each as in an export. Secrets may be given as in a creation` }),
    ...z.object(pageFields).partial().shape,
  })
  .meta({
    example: {
      version: 1,
      connections: [
        {
          connection_name: 'crm',
          oauth_flow_type: 'client_credentials',
          client_id: 'client-id-from-the-provider',
          token_url: 'https://login.example.com/oauth/token',
          scopes: 'read,write',
        },
      ],
    },
  });

/** Everything of the create body that is not a secret. What follows from the provider is left to it. */
export function presentExport(connection: Connection): ExportedConnection {
  const { config, name } = connection;
  const { endpoints } = config;
  const isOwn = config.provider === null;
  return {
    connection_name: name,
    oauth_flow_type: config.flowType,
    provider: config.provider,
    ...(config.clientId !== '' && { client_id: config.clientId }),
    client_auth: config.clientAuth,
    ...(isOwn && endpoints.tokenUrl !== '' && { token_url: endpoints.tokenUrl }),
    authorization_url: isOwn ? endpoints.authorizationUrl : null,
    issuer: isOwn ? endpoints.issuer : null,
    revocation_url: isOwn ? endpoints.revocationUrl : null,
    introspection_url: isOwn ? endpoints.introspectionUrl : null,
    userinfo_url: isOwn ? endpoints.userinfoUrl : null,
    test_url: endpoints.testUrl,
    device_authorization_url: isOwn ? endpoints.deviceAuthorizationUrl : null,
    pushed_authorization_url: isOwn ? endpoints.pushedAuthorizationUrl : null,
    variables: { ...config.variables },
    signing_algorithm: signingAlgorithmOf(connection),
    client_secret_expires_at: iso(config.clientSecretExpiresAt),
    fallback_client_credentials: config.fallbackClientCredentials,
    // Null would mean the provider's usual ones.
    scopes: config.scopes ?? (isOwn ? null : ''),
    scope_separator: config.scopeSeparator,
    extra_authorize_params: { ...config.extraAuthorizeParams },
    extra_token_params: { ...config.extraTokenParams },
    description: config.description,
    tags: [...config.tags],
    shared_with: connection.org === GLOBAL ? [...config.sharedWith] : null,
  };
}

function signingAlgorithmOf({ signingKey }: Connection): ExportedConnection['signing_algorithm'] {
  return signingAlgorithms.find((name) => name === signingKey?.publicJwk.alg) ?? null;
}
