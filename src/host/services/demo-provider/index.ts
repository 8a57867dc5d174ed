import { mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { type Configuration, Provider } from 'oidc-provider';
import { closeServer, listenOnLoopback } from '../loopback-server.ts';
import { peopleConfiguration, withInteractions } from './interactions.ts';
import { openJournal } from './journal.ts';
import { loadServerKeys, type ServerKeys } from './server-keys.ts';

export interface DemoProviderOptions {
  /** Where keys, client secret, grants and tokens are kept. */
  readonly folder: string;
  /** Default 0: any free port. The issuer's name has it, so it should stay the same. */
  readonly port?: number;
  /** What every redirect URI of the client starts with; null while it is not known. */
  readonly callbackPrefix: () => string | null;
}

export interface DemoProvider {
  readonly issuer: string;
  readonly port: number;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly endpoints: {
    readonly authorization: string;
    readonly token: string;
    readonly userinfo: string;
    readonly revocation: string;
  };
  stop(): Promise<void>;
}

const clientId = 'bowline-demo';
const minuteSeconds = 60;
const daySeconds = 86_400;

/**
 * Starts an authorization server to try Bowline with: code flow with PKCE, client credentials, rotation with reuse
 * detection, userinfo and revocation. Any name signs in. After a restart every token still works.
 * Throws `StartFailure` when the port is taken or its state damaged.
 */
export async function startDemoProvider({
  folder,
  port = 0,
  callbackPrefix,
}: DemoProviderOptions): Promise<DemoProvider> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const keys = await loadServerKeys(join(folder, 'server.json'));
  const { adapter } = openJournal(join(folder, 'grants.jsonl'));

  const server = createServer();
  const boundPort = await listenOnLoopback(server, { name: 'demo authorization server', port });
  const issuer = `http://127.0.0.1:${boundPort}`;
  const provider = new Provider(issuer, { ...configuration(keys), adapter });
  // Each connection has a callback URL of its own, so the one client is registered by their beginning.
  provider.Client.prototype.redirectUriAllowed = (redirectUri: string) => startsWith(redirectUri, callbackPrefix());
  server.on('request', withInteractions(provider));

  return {
    issuer,
    port: boundPort,
    clientId,
    clientSecret: keys.client_secret,
    endpoints: {
      authorization: `${issuer}/auth`,
      token: `${issuer}/token`,
      userinfo: `${issuer}/me`,
      revocation: `${issuer}/token/revocation`,
    },
    stop: () => closeServer(server),
  };
}

/** Compared as parsed, so that `/callback/../` does not slip through. */
function startsWith(redirectUri: string, prefix: string | null): boolean {
  if (prefix === null || !URL.canParse(redirectUri)) return false;
  const { href } = new URL(redirectUri);
  return href === redirectUri && href.startsWith(prefix) && !/[?#]/.test(href);
}

function configuration(keys: ServerKeys): Configuration {
  return {
    ...peopleConfiguration,
    clients: [
      {
        client_id: clientId,
        client_secret: keys.client_secret,
        grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
        // Never matched: `redirectUriAllowed` decides. The provider wants one.
        redirect_uris: ['http://127.0.0.1/api/oauth/callback/any'],
      },
    ],
    jwks: { keys: [keys.signing_key] },
    cookies: { keys: [keys.cookie_key] },
    scopes: ['openid', 'offline_access', 'read', 'write'],
    pkce: { required: () => true },
    rotateRefreshToken: true,
    expiresWithSession: () => false,
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    features: {
      ...peopleConfiguration.features,
      clientCredentials: { enabled: true },
      revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
    },
    ttl: {
      AccessToken: 10 * minuteSeconds,
      ClientCredentials: 10 * minuteSeconds,
      IdToken: 10 * minuteSeconds,
      AuthorizationCode: minuteSeconds,
      Interaction: 10 * minuteSeconds,
      Session: daySeconds,
      RefreshToken: 365 * daySeconds,
      Grant: 365 * daySeconds,
    },
  };
}
