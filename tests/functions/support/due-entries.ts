import { TableClient } from '@azure/data-tables';
import { inject } from 'vitest';
import { rowsOf } from '../../support/connections.ts';
import type { TestBroker } from '../../support/test-broker.ts';

/** An entry of the due index, as a test looks at it. */
export interface Entry {
  readonly partitionKey: string;
  readonly rowKey: string;
  readonly at: number;
}

/** The entries of one grant; without a name those of all. */
export async function entriesOf(broker: TestBroker, name?: string, userId = ''): Promise<readonly Entry[]> {
  const rows = await rowsOf(broker, 'OAuthRefreshDue');
  return rows
    .filter(({ connection, user_id }) => name === undefined || (connection === name && user_id === userId))
    .map(({ partitionKey, rowKey }) => ({ partitionKey, rowKey, at: Number(rowKey.slice(0, 13)) }));
}

export const timesOf = async (broker: TestBroker, name: string, userId = '') =>
  (await entriesOf(broker, name, userId)).map(({ at }) => at);

/** The index past the adapter. */
export function rawIndex({ prefix }: TestBroker): TableClient {
  const options = { allowInsecureConnection: true };
  return TableClient.fromConnectionString(inject('azuriteConnectionString'), `${prefix}OAuthRefreshDue`, options);
}
