import type { webcrypto } from 'node:crypto';
import { createServer } from 'node:http';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { type ClientMetadata, type Configuration, Provider } from 'oidc-provider';
import { createGrantStore } from '../../src/host/services/demo-provider/grant-store.ts';
import { peopleConfiguration, withInteractions } from '../../src/host/services/demo-provider/interactions.ts';
import { closeServer, listenOnLoopback } from '../../src/host/services/loopback-server.ts';
import { recordTokenRequests, type TokenRecorder } from './authorization-server/token-recorder.ts';

export { hashOfToken, type TokenRecorder } from './authorization-server/token-recorder.ts';
export { browse, createUserAgent, type SignInOptions } from './authorization-server/user-agent.ts';

export interface AuthorizationServerOptions {
  /** Default 0: any free port. */
  readonly port?: number;
  /** Default: any URL on http://127.0.0.1. */
  readonly redirectUriAllowed?: (redirectUri: string, clientId: string) => boolean;
  readonly accessTokenLifeSeconds?: number;
  readonly refreshTokenLifeSeconds?: number;
  /** Default true: each refresh gives a new refresh token, and using an old one again revokes the grant. */
  readonly rotate?: boolean;
  readonly clients?: readonly ClientMetadata[];
  /** Anything else of oidc-provider's, laid over the configuration as a whole. */
  readonly configuration?: Configuration;
}

export interface TestClient {
  readonly clientId: string;
  readonly clientSecret: string;
}

export interface AuthorizationServer {
  readonly issuer: string;
  readonly port: number;
  readonly endpoints: {
    readonly authorization: string;
    readonly token: string;
    readonly userinfo: string;
    readonly revocation: string;
    readonly introspection: string;
    readonly deviceAuthorization: string;
    readonly pushedAuthorization: string;
  };
  readonly clients: {
    readonly basic: TestClient;
    readonly post: TestClient;
    /** Public: authenticates with nothing. */
    readonly none: Pick<TestClient, 'clientId'>;
    readonly privateKeyJwt: {
      readonly clientId: string;
      readonly privateKey: webcrypto.CryptoKey;
      readonly privateJwk: JWK;
    };
    /** Client credentials only. */
    readonly service: TestClient;
  };
  readonly tokens: TokenRecorder;
  readonly provider: Provider;
  /** Whether the server still honours a token. */
  isActive(token: string): Promise<boolean>;
  stop(): Promise<void>;
}

/** Made once per process: an RSA key takes longer than the rest of the start. */
const keys = Promise.all([
  generateKeyPair('RS256', { extractable: true }),
  generateKeyPair('ES256', { extractable: true }),
]);

const clients = {
  basic: { clientId: 'app', clientSecret: 'app-secret-for-tests' },
  post: { clientId: 'app-post', clientSecret: 'post-secret-for-tests' },
  none: { clientId: 'app-public' },
  service: { clientId: 'svc', clientSecret: 'svc-secret-for-tests' },
} as const;

/** Starts a real authorization server in this process, state in memory, PKCE required, `iss` in every callback. */
export async function startAuthorizationServer(options: AuthorizationServerOptions = {}): Promise<AuthorizationServer> {
  const [signing, clientKey] = await keys;
  const privateJwk = { ...(await exportJWK(clientKey.privateKey)), kid: 'client-1', alg: 'ES256', use: 'sig' };
  const server = createServer();
  const port = await listenOnLoopback(server, { name: 'test authorization server', port: options.port ?? 0 });
  const issuer = `http://127.0.0.1:${port}`;

  const provider = new Provider(issuer, {
    ...baseConfiguration(options),
    jwks: { keys: [{ ...(await exportJWK(signing.privateKey)), use: 'sig', alg: 'RS256', kid: 'signing-1' }] },
    clients: clientMetadata(await exportJWK(clientKey.publicKey), options.clients ?? []),
    ...options.configuration,
  });
  const allowed = options.redirectUriAllowed ?? ((uri) => new URL(uri).origin.startsWith('http://127.0.0.1:'));
  // The tests' callback URLs carry connection names and ports that nobody knows beforehand.
  provider.Client.prototype.redirectUriAllowed = function (redirectUri: string) {
    return URL.canParse(redirectUri) && allowed(redirectUri, this.clientId);
  };
  const { recorder, listener } = recordTokenRequests('/token', withInteractions(provider));
  server.on('request', listener);

  return {
    issuer,
    port,
    endpoints: {
      authorization: `${issuer}/auth`,
      token: `${issuer}/token`,
      userinfo: `${issuer}/me`,
      revocation: `${issuer}/token/revocation`,
      introspection: `${issuer}/token/introspection`,
      deviceAuthorization: `${issuer}/device/auth`,
      pushedAuthorization: `${issuer}/request`,
    },
    clients: {
      ...clients,
      privateKeyJwt: { clientId: 'app-pkjwt', privateKey: clientKey.privateKey, privateJwk },
    },
    tokens: recorder,
    provider,
    isActive: async (token) => {
      const found = await Promise.all([
        provider.AccessToken.find(token),
        provider.RefreshToken.find(token),
        provider.ClientCredentials.find(token),
      ]);
      return found.some((one) => one?.isValid === true);
    },
    stop: async () => {
      recorder.reset();
      await closeServer(server);
    },
  };
}

function baseConfiguration(options: AuthorizationServerOptions): Configuration {
  return {
    ...peopleConfiguration,
    adapter: createGrantStore().adapter,
    cookies: { keys: ['tests only'] },
    scopes: ['openid', 'offline_access', 'read', 'write'],
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
    pkce: { required: () => true },
    rotateRefreshToken: options.rotate ?? true,
    expiresWithSession: () => false,
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    features: {
      ...peopleConfiguration.features,
      clientCredentials: { enabled: true },
      revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
      introspection: { enabled: true, allowedPolicy: () => true },
      pushedAuthorizationRequests: { enabled: true },
      deviceFlow: { enabled: true },
    },
    ttl: {
      AccessToken: options.accessTokenLifeSeconds ?? 300,
      ClientCredentials: options.accessTokenLifeSeconds ?? 300,
      RefreshToken: options.refreshTokenLifeSeconds ?? 86_400,
      AuthorizationCode: 60,
      Grant: 86_400,
      IdToken: 300,
      Interaction: 600,
      Session: 3600,
    },
  };
}

function clientMetadata(publicJwk: JWK, extra: readonly ClientMetadata[]): ClientMetadata[] {
  const code = { redirect_uris: ['http://127.0.0.1/callback'], grant_types: ['authorization_code', 'refresh_token'] };
  return [
    { client_id: clients.basic.clientId, client_secret: clients.basic.clientSecret, ...code },
    {
      client_id: clients.post.clientId,
      client_secret: clients.post.clientSecret,
      token_endpoint_auth_method: 'client_secret_post',
      ...code,
    },
    { client_id: clients.none.clientId, token_endpoint_auth_method: 'none', ...code },
    {
      client_id: 'app-pkjwt',
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'ES256',
      jwks: { keys: [{ ...publicJwk, kid: 'client-1', alg: 'ES256', use: 'sig' }] },
      ...code,
    },
    {
      client_id: clients.service.clientId,
      client_secret: clients.service.clientSecret,
      redirect_uris: [],
      response_types: [],
      grant_types: ['client_credentials'],
    },
    ...extra,
  ];
}
