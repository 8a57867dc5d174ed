import { createHash } from 'node:crypto';
import { TableClient } from '@azure/data-tables';
import type { Answer } from '../../support/running-hosts.ts';
import type { ChaosHost } from './chaos-host.ts';
import type { Provider } from './provider.ts';

/** A grant of the broker, and whose account it is at the provider. */
export interface ChaosGrant {
  readonly org: string;
  readonly connection: string;
  /** Null: the organisation's own. */
  readonly userId: string | null;
  readonly provider: Provider;
  readonly account: string;
}

export interface NewGrant {
  readonly provider: Provider;
  readonly connection: string;
  readonly org?: string;
  readonly userId?: string | null;
}

/** Whose a grant is, by its place among those of its provider. */
export type OrgOf = (index: number) => string;

export interface GrantDesk {
  /** Makes a grant that holds tokens: its connection, where that is new, and a first refresh. */
  connect(host: ChaosHost, grant: NewGrant): Promise<ChaosGrant>;
  /**
   * Several of one connection each, named after `prefix`; every other one is a user's. All are ORG1's, unless `orgOf`
   * deals those of one provider.
   */
  connectMany(
    host: ChaosHost,
    prefix: string,
    count: number,
    providers: readonly Provider[],
    orgOf?: OrgOf,
  ): Promise<ChaosGrant[]>;
  /** Lets the token have lapsed a minute ago, past every proxy. */
  lapse(grant: ChaosGrant): Promise<void>;
  /** Lets the token end at a time, past every proxy. */
  setExpiry(grant: ChaosGrant, atMs: number): Promise<void>;
  /** Lets the grant be due at a time, past every proxy, in its row alone. */
  setDue(grant: ChaosGrant, atMs: number): Promise<void>;
  /** Merges columns into the grant's row as they are, past every proxy. */
  spoil(grant: ChaosGrant, columns: Readonly<Record<string, unknown>>): Promise<void>;
  /** The grant's row, past every proxy; undefined where there is none. */
  row(grant: ChaosGrant): Promise<Readonly<Record<string, unknown>> | undefined>;
}

export function createGrantDesk(connectionString: string): GrantDesk {
  const options = { allowInsecureConnection: true };
  const open = (name: string) => TableClient.fromConnectionString(connectionString, name, options);
  const tables = { own: open('OAuthConnections'), users: open('OAuthUserGrants') };
  const known = new Set<string>();
  const tableOf = ({ userId }: ChaosGrant) => (userId === null ? tables.own : tables.users);

  async function spoil(grant: ChaosGrant, columns: Readonly<Record<string, unknown>>): Promise<void> {
    await tableOf(grant).updateEntity({ ...placeOf(grant), ...columns }, 'Merge');
  }

  const setExpiry = (grant: ChaosGrant, atMs: number) => spoil(grant, { expires_at: int64(atMs) });

  async function connect(host: ChaosHost, { provider, connection, org = 'ORG1', userId = null }: NewGrant) {
    const place = `${org}/${connection}`;
    if (!known.has(place)) {
      known.add(place);
      await createConnection(host, provider, connection, org);
    }
    const grant: ChaosGrant = { org, connection, userId, provider, account: `${place}/${userId ?? ''}` };
    await importTokens(host, grant);
    // The first use is noted in the row: not again, and so not later, when it would prolong a lease.
    await credentials(host, grant);
    return grant;
  }

  return {
    connect,
    connectMany: async (host, prefix, count, providers, orgOf = () => 'ORG1') => {
      const made: ChaosGrant[] = [];
      for (let index = 0; index < count; index += 1) {
        const provider = providers[index % providers.length] as Provider;
        const userId = index % 2 === 0 ? null : `user-${index}`;
        const org = orgOf(Math.floor(index / providers.length));
        made.push(await connect(host, { provider, org, connection: `${prefix}-${index}`, userId }));
      }
      return made;
    },
    lapse: (grant) => setExpiry(grant, Date.now() - 60_000),
    setExpiry,
    setDue: (grant, atMs) => spoil(grant, { due_at: int64(atMs) }),
    spoil,
    row: async (grant) => {
      const { partitionKey, rowKey } = placeOf(grant);
      try {
        return await tableOf(grant).getEntity(partitionKey, rowKey);
      } catch (error) {
        if (error instanceof Error && 'statusCode' in error && error.statusCode === 404) return undefined;
        throw error;
      }
    },
  };
}

/** What a workflow asks. */
export function credentials(host: ChaosHost, grant: ChaosGrant, leastLifeSeconds?: number): Promise<Answer> {
  const query = new URLSearchParams(grant.userId === null ? {} : { user_id: grant.userId });
  if (leastLifeSeconds !== undefined) query.set('min_ttl_seconds', String(leastLifeSeconds));
  return host.call('GET', `/api/oauth/credentials/${grant.connection}?${query}`, { org: grant.org });
}

/** Gives the grant a refresh token of its account from elsewhere, which is used at once. */
export async function importTokens(host: ChaosHost, { provider, account, ...grant }: ChaosGrant): Promise<void> {
  const { org, connection, userId } = grant;
  const body = { refresh_token: await provider.mint(account), user_id: userId };
  const imported = await host.call('POST', `/api/oauth/connections/${connection}/tokens`, { org, body });
  if (imported.status !== 200 || imported.json.refreshed !== true) throw new Error(`not imported: ${imported.text}`);
}

/** What an operator asks. Resolves to undefined when the connection breaks. */
export function refresh(host: ChaosHost, grant: ChaosGrant): Promise<Answer | undefined> {
  const body = grant.userId === null ? {} : { user_id: grant.userId };
  return host.tryCall('POST', `/api/oauth/connections/${grant.connection}/refresh`, { org: grant.org, body });
}

/** Makes a connection of the code flow at a provider. */
export async function createConnection(host: ChaosHost, provider: Provider, name: string, org: string): Promise<void> {
  const { server } = provider;
  const created = await host.call('POST', '/api/oauth/connections', {
    org,
    body: {
      connection_name: name,
      oauth_flow_type: 'authorization_code',
      client_id: server.clients.basic.clientId,
      client_secret: server.clients.basic.clientSecret,
      authorization_url: server.endpoints.authorization,
      token_url: provider.tokenUrl,
      revocation_url: provider.revocationUrl,
      scopes: 'openid read',
    },
  });
  if (created.status !== 201) throw new Error(`not created: ${created.text}`);
}

/** Deals so many to each organisation. */
export function dealt(toEach: number, prefix = 'ORG'): OrgOf {
  return (index) => `${prefix}${1 + Math.floor(index / toEach)}`;
}

function int64(value: number) {
  return { type: 'Int64', value: String(value) };
}

function placeOf({ org, connection, userId }: ChaosGrant): { partitionKey: string; rowKey: string } {
  if (userId === null) return { partitionKey: org, rowKey: connection };
  return {
    partitionKey: `${org}|${connection}`,
    rowKey: createHash('sha256').update(userId).digest('base64url'),
  };
}
