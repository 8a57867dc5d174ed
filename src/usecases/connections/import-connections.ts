import { BrokerError, type ErrorCode, type ErrorDetail, hasCode } from '../../domain/errors.ts';
import type { ConnectionName } from '../../domain/ids.ts';
import type { Dependencies } from '../dependencies.ts';
import type { CreateConnection } from './create-connection.ts';
import { assertCreatable, type CreationNeeds, type NewConnection } from './plan-connection.ts';

export interface ConnectionsImport {
  /** As for a single creation, but that secrets may be missing. */
  readonly rows: readonly NewConnection[];
  /** Everything is checked, and nothing written. */
  readonly isDryRun: boolean;
}

export interface ImportedConnection {
  readonly name: ConnectionName;
  /** `failed`: it was not the row's fault, and may be tried again. */
  readonly result: 'created' | 'exists' | 'invalid' | 'failed';
  readonly code: ErrorCode | null;
  readonly message: string | null;
  readonly details: readonly ErrorDetail[];
}

export type ImportConnections = (request: ConnectionsImport) => Promise<readonly ImportedConnection[]>;

type Needs = CreationNeeds & Pick<Dependencies, 'connections'> & { readonly createConnection: CreateConnection };

const atOnce = 8;

/** Creates many connections. Resolves to what became of each, in their order: one that fails holds up no other. */
export function createImportConnections(needs: Needs): ImportConnections {
  return async ({ rows, isDryRun }) => {
    const results: ImportedConnection[] = [];
    for (let start = 0; start < rows.length; start += atOnce) {
      const some = rows.slice(start, start + atOnce).map((row, at) => {
        const isRepeated = rows.findIndex(({ name }) => name === row.name) < start + at;
        return isRepeated ? exists(row) : importOne(needs, { ...row, mayLackSecrets: true }, isDryRun);
      });
      results.push(...(await Promise.all(some)));
    }
    return results;
  };
}

async function importOne(needs: Needs, row: NewConnection, isDryRun: boolean): Promise<ImportedConnection> {
  const { org, name } = row;
  try {
    if (!isDryRun) await needs.createConnection(row);
    else {
      await assertCreatable(needs, row);
      if ((await needs.connections.get({ org, name })) !== undefined) return exists(row);
    }
    return { name, result: 'created', code: null, message: null, details: [] };
  } catch (error) {
    if (hasCode(error, 'connection_exists')) return exists(row);
    if (!(error instanceof BrokerError)) throw error;
    const { code, message, details = [] } = error;
    const isTheirs = code === 'validation_failed' || code === 'url_not_allowed';
    return { name, result: isTheirs ? 'invalid' : 'failed', code, message, details };
  }
}

function exists({ name }: NewConnection): ImportedConnection {
  const message = `There is a connection named ${name} already.`;
  return { name, result: 'exists', code: 'connection_exists', message, details: [] };
}
