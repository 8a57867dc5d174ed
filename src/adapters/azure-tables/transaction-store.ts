import { z } from 'zod';
import { BrokerError, hasCode } from '../../domain/errors.ts';
import type { ConnectionName, OrgId, UserId } from '../../domain/ids.ts';
import { Secret } from '../../domain/secret.ts';
import type { Transaction } from '../../domain/transaction.ts';
import type { TransactionStore } from '../../ports/transaction-store.ts';
import { changeRow, insertRow, type Surroundings } from './change-row.ts';
import { type Columns, columnReader, numberColumn, textColumn } from './columns.ts';
import { decodeRow } from './malformed-rows.ts';
import { purgeRows } from './purge-rows.ts';
import {
  fromSealedColumns,
  openJson,
  type SealingKeyring,
  sealedColumnNames,
  sealJson,
  toSealedColumns,
} from './sealed-columns.ts';
import type { Place, Row, Table } from './table.ts';

export interface TransactionStoreOptions extends Surroundings {
  readonly table: Table;
  readonly keyring: SealingKeyring;
}

/** What is sealed: the secrets, and every field that decides where the code and the tokens go. */
const payloadJson = z.object({
  v: z.literal(1),
  kind: z.literal('transaction'),
  state: z.string(),
  connection_org: z.string(),
  connection: z.string(),
  org: z.string(),
  user: z.string().nullable(),
  endpoints_id: z.string(),
  redirect_uri: z.string(),
  code_verifier: z.string(),
  nonce: z.string(),
  authorization_url: z.string(),
  device_code: z.string().nullable().default(null),
});

const sealedColumns = sealedColumnNames(1);
const sealedMaxBytes = 60 * 1024;
const stateHashPattern = /^[0-9a-f]{64}$/;

type ClearTransaction = Omit<Transaction, 'codeVerifier' | 'nonce' | 'authorizationUrl' | 'deviceCode'>;

/** Transactions on Table Storage, spread over 256 partitions. */
export function createTransactionStore(options: TransactionStoreOptions): TransactionStore {
  const { table, keyring } = options;

  return {
    async create(transaction) {
      const columns = { ...toClearColumns(transaction), ...(await seal(keyring, transaction)) };
      await insertRow(table, placeOf(transaction.stateHash), columns, options);
    },

    async get(stateHash) {
      if (!stateHashPattern.test(stateHash)) return undefined;
      const row = await table.read(placeOf(stateHash));
      return row && open(keyring, decodeRow(table, row, toClearTransaction), row);
    },

    async bindToBrowser(stateHash) {
      if (!stateHashPattern.test(stateHash)) return false;
      const decide = async (current: Row | undefined) => current && { is_browser_bound: true };
      return (await changeRow(table, placeOf(stateHash), decide, options)) !== undefined;
    },

    async takeStep(stateHash, { step, isRedelivered }) {
      if (!stateHashPattern.test(stateHash)) return undefined;
      let next: number | undefined;
      const decide = async (current: Row | undefined) => {
        const at = current && columnReader(current.columns).number('device_step');
        const isOurs = at === step || (isRedelivered && at === step + 1);
        next = at === undefined || !isOurs ? undefined : at + 1;
        return next === undefined ? undefined : { device_step: numberColumn(next) };
      };
      await changeRow(table, placeOf(stateHash), decide, options);
      return next;
    },

    async consume(stateHash) {
      if (!stateHashPattern.test(stateHash)) return false;
      for (;;) {
        const row = await table.read(placeOf(stateHash));
        if (row === undefined) return false;
        const outcome = await table.remove(row);
        if (outcome !== 'changed') return outcome === 'removed';
      }
    },

    // Hashes do not sort by time, so that every partition has to be looked through; used ones are gone already.
    purgeExpired: (before, cursor) => purgeRows(table, { and: `expires_at lt ${Math.trunc(before)}L` }, cursor),
  };
}

function placeOf(stateHash: string): Place {
  return { partitionKey: stateHash.slice(0, 2), rowKey: stateHash };
}

function toClearColumns(transaction: ClearTransaction): Columns {
  return {
    connection_org: transaction.connectionOrg,
    connection: transaction.connection,
    org: transaction.org,
    user_id: textColumn(transaction.userId),
    caller_id: transaction.callerId,
    caller_name: transaction.callerName,
    endpoints_id: transaction.endpointsId,
    redirect_uri: transaction.redirectUri,
    scopes: textColumn(transaction.scopes),
    return_url: textColumn(transaction.returnUrl),
    allow_account_change: transaction.allowAccountChange,
    created_at: numberColumn(transaction.createdAt),
    expires_at: numberColumn(transaction.expiresAt),
    is_browser_bound: transaction.isBrowserBound,
    device_step: numberColumn(0),
  };
}

function toClearTransaction({ rowKey, columns }: Row): ClearTransaction {
  const read = columnReader(columns);
  return {
    stateHash: rowKey,
    connectionOrg: read.text('connection_org') as OrgId,
    connection: read.text('connection') as ConnectionName,
    org: read.text('org') as OrgId,
    userId: read.optionalText('user_id') as UserId | null,
    callerId: read.text('caller_id'),
    callerName: read.text('caller_name'),
    endpointsId: read.text('endpoints_id'),
    redirectUri: read.text('redirect_uri'),
    scopes: read.optionalText('scopes'),
    returnUrl: read.optionalText('return_url'),
    allowAccountChange: read.flag('allow_account_change'),
    createdAt: read.number('created_at'),
    expiresAt: read.number('expires_at'),
    isBrowserBound: read.flag('is_browser_bound'),
  };
}

function sealedPlaceOf(transaction: ClearTransaction) {
  return {
    v: 1,
    kind: 'transaction',
    state: transaction.stateHash,
    connection_org: transaction.connectionOrg,
    connection: transaction.connection,
    org: transaction.org,
    user: transaction.userId,
    endpoints_id: transaction.endpointsId,
    redirect_uri: transaction.redirectUri,
  } as const;
}

async function seal(keyring: SealingKeyring, transaction: Transaction): Promise<Columns> {
  const json: z.infer<typeof payloadJson> = {
    ...sealedPlaceOf(transaction),
    code_verifier: transaction.codeVerifier.reveal(),
    nonce: transaction.nonce.reveal(),
    authorization_url: transaction.authorizationUrl,
    device_code: transaction.deviceCode?.reveal() ?? null,
  };
  if (Buffer.byteLength(JSON.stringify(json)) > sealedMaxBytes) throw tooLong();
  return toSealedColumns(await sealJson(keyring, json), sealedColumns);
}

function tooLong(): BrokerError {
  const message = 'makes an address that is too long';
  return new BrokerError('validation_failed', `authorization_url ${message}`, {
    details: [{ path: 'authorization_url', message }],
  });
}

/** Undefined when the payload cannot be opened or is of another transaction. */
async function open(keyring: SealingKeyring, clear: ClearTransaction, row: Row): Promise<Transaction | undefined> {
  const sealed = fromSealedColumns(row.columns, sealedColumns);
  if (sealed === null) return undefined;
  try {
    const parsed = payloadJson.safeParse((await openJson(keyring, sealed)).json);
    if (!parsed.success) return undefined;
    const { code_verifier, nonce, authorization_url, device_code, ...place } = parsed.data;
    const expected = sealedPlaceOf(clear);
    const isOurs = Object.entries(expected).every(([name, value]) => place[name as keyof typeof place] === value);
    if (!isOurs) return undefined;
    return {
      ...clear,
      codeVerifier: new Secret(code_verifier),
      nonce: new Secret(nonce),
      authorizationUrl: authorization_url,
      deviceCode: device_code === null ? null : new Secret(device_code),
    };
  } catch (error) {
    if (hasCode(error, 'grant_unreadable')) return undefined;
    throw error;
  }
}
