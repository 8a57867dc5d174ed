import { z } from 'zod';
import type { Opened } from '../../crypto/keyring.ts';
import { type ConnectionConfig, clientAuthMethods, flowTypes, noEndpoints } from '../../domain/connection.ts';
import type { ConnectionName, OrgId } from '../../domain/ids.ts';
import type { PendingRevocation, RevocationState } from '../../domain/revocation.ts';
import { Secret } from '../../domain/secret.ts';
import type { RevocationStore } from '../../ports/revocation-store.ts';
import { changeRow, insertRow, removeRow, type Surroundings } from './change-row.ts';
import { type Columns, columnReader, numberColumn } from './columns.ts';
import { walkTable } from './continuation.ts';
import { decodeRow, decodeRows, type OnMalformedRow } from './malformed-rows.ts';
import { resealRow } from './reseal-row.ts';
import {
  fromSealedColumns,
  openJson,
  type SealingKeyring,
  sealedColumnNames,
  sealJson,
  toSealedColumns,
  unreadable,
} from './sealed-columns.ts';
import type { Place, Row, Table } from './table.ts';

export interface RevocationStoreOptions extends Surroundings {
  readonly table: Table;
  readonly keyring: SealingKeyring;
  readonly onMalformedRow: OnMalformedRow;
}

const partitionKey = 'pending';
const clearColumns = ['created_at', 'attempts', 'next_at'];
const sealedColumns = sealedColumnNames(4);
const idPattern = /^[0-9a-f]{32}$/;

/** All of it is sealed: it says where secrets go. */
const payloadJson = z.object({
  v: z.literal(1),
  kind: z.literal('revocation'),
  id: z.string(),
  connection_org: z.string(),
  connection: z.string(),
  endpoints_id: z.string(),
  provider: z.string().nullable(),
  variables: z.record(z.string(), z.string()),
  flow_type: z.enum(flowTypes),
  client_id: z.string(),
  client_auth: z.enum(clientAuthMethods),
  token_url: z.string(),
  issuer: z.string().nullable(),
  revocation_url: z.string().nullable(),
  redirect_uri: z.string(),
  client_secret: z.string().nullable(),
  signing_key: z.string().nullable(),
  access_token: z.string().nullable(),
  refresh_token: z.string().nullable(),
});

type Payload = z.infer<typeof payloadJson>;

/** Revocations that wait, on Table Storage: one row each, few of them, and none older than a week. */
export function createRevocationStore(options: RevocationStoreOptions): RevocationStore {
  const { table, keyring, onMalformedRow } = options;
  const read = (id: string) => (idPattern.test(id) ? table.read(placeOf(id)) : Promise.resolve(undefined));

  return {
    async create(revocation) {
      const sealed = toSealedColumns(await sealJson(keyring, toPayload(revocation)), sealedColumns);
      await insertRow(table, placeOf(revocation.id), { ...toClearColumns(revocation), ...sealed }, options);
    },

    async state(id) {
      const row = await read(id);
      return row && decodeRow(table, row, toState);
    },

    async open(id) {
      const row = await read(id);
      return row && { ...toContent((await openRow(keyring, row)).payload), ...decodeRow(table, row, toState) };
    },

    async postpone(id, { attempts, nextAt }) {
      const columns = { attempts: numberColumn(attempts), next_at: numberColumn(nextAt) };
      await changeRow(table, placeOf(id), async (current) => current && columns, options);
    },

    async remove(id) {
      await removeRow(table, placeOf(id));
    },

    async due(until, limit) {
      const and = `next_at le ${Math.trunc(until)}L`;
      const ids: string[] = [];
      for await (const rows of table.pages({ partitionKey, and, select: clearColumns })) {
        ids.push(...decodeRows(table, rows, toState, onMalformedRow).map(({ id }) => id));
        if (ids.length >= limit) break;
      }
      return ids.slice(0, limit);
    },

    reseal: (id) =>
      resealRow({ table, place: placeOf(id), columns: sealedColumns, open: (row) => openRow(keyring, row) }, options),

    async *walk(start, walkOptions) {
      for await (const { rows, cursor } of walkTable(
        table,
        { partitionKey, select: clearColumns },
        start,
        walkOptions,
      )) {
        const items = decodeRows(table, rows, toState, onMalformedRow).map(({ id }) => id);
        yield { items, leftOut: rows.length - items.length, cursor };
      }
    },
  };
}

function placeOf(id: string): Place {
  return { partitionKey, rowKey: id };
}

function toClearColumns(revocation: RevocationState): Columns {
  return {
    created_at: numberColumn(revocation.createdAt),
    attempts: numberColumn(revocation.attempts),
    next_at: numberColumn(revocation.nextAt),
  };
}

function toState({ rowKey, columns }: Row): RevocationState {
  const read = columnReader(columns);
  return {
    id: rowKey,
    createdAt: read.number('created_at'),
    attempts: read.number('attempts'),
    nextAt: read.number('next_at'),
  };
}

function toPayload({ config, ...revocation }: PendingRevocation): Payload {
  return {
    v: 1,
    kind: 'revocation',
    id: revocation.id,
    connection_org: revocation.connectionOrg,
    connection: revocation.connection,
    endpoints_id: revocation.endpointsId,
    provider: config.provider,
    variables: { ...config.variables },
    flow_type: config.flowType,
    client_id: config.clientId,
    client_auth: config.clientAuth,
    token_url: config.endpoints.tokenUrl,
    issuer: config.endpoints.issuer,
    revocation_url: config.endpoints.revocationUrl,
    redirect_uri: revocation.redirectUri,
    client_secret: revocation.clientSecret?.reveal() ?? null,
    signing_key: revocation.signingKey?.reveal() ?? null,
    access_token: revocation.accessToken?.reveal() ?? null,
    refresh_token: revocation.refreshToken?.reveal() ?? null,
  };
}

async function openRow(keyring: SealingKeyring, row: Row): Promise<Opened & { readonly payload: Payload }> {
  const sealed = fromSealedColumns(row.columns, sealedColumns);
  if (sealed === null) throw unreadable('sealed payload: missing');
  const { json, ...opened } = await openJson(keyring, sealed);
  const parsed = payloadJson.safeParse(json);
  if (!parsed.success || parsed.data.id !== row.rowKey) throw unreadable('sealed payload: not of this revocation');
  return { ...opened, payload: parsed.data };
}

function toContent(data: Payload): Omit<PendingRevocation, keyof RevocationState> {
  return {
    connectionOrg: data.connection_org as OrgId,
    connection: data.connection as ConnectionName,
    endpointsId: data.endpoints_id,
    config: toConfig(data),
    redirectUri: data.redirect_uri,
    clientSecret: toSecret(data.client_secret),
    signingKey: toSecret(data.signing_key),
    accessToken: toSecret(data.access_token),
    refreshToken: toSecret(data.refresh_token),
  };
}

/** As much of the configuration as revoking goes by. */
function toConfig(data: Payload): ConnectionConfig {
  return {
    flowType: data.flow_type,
    provider: data.provider,
    variables: data.variables,
    clientId: data.client_id,
    clientAuth: data.client_auth,
    endpoints: {
      ...noEndpoints,
      tokenUrl: data.token_url,
      issuer: data.issuer,
      revocationUrl: data.revocation_url,
    },
    scopes: null,
    scopeSeparator: 'space',
    extraAuthorizeParams: {},
    extraTokenParams: {},
    fallbackClientCredentials: false,
    clientSecretExpiresAt: null,
    description: null,
    tags: [],
    sharedWith: [],
  };
}

function toSecret(text: string | null): Secret | null {
  return text === null ? null : new Secret(text);
}
