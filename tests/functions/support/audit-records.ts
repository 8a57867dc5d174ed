import { expect } from 'vitest';
import { rowsOf } from '../../support/connections.ts';
import type { TestBroker } from '../../support/test-broker.ts';

export interface SeenRecord {
  readonly org: string;
  readonly action: string;
  readonly outcome: string;
  readonly count: number;
  readonly connection: string;
  readonly userId: string;
  readonly actor: string;
  readonly correlationId: string;
  readonly address: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Every record of a broker, oldest first, past the adapter. `org` is `!` where nobody knows it. */
export async function auditRecords(broker: TestBroker): Promise<SeenRecord[]> {
  const rows = (await rowsOf(broker, 'OAuthAudit')).filter(({ partitionKey }) => !/^!\w/.test(partitionKey));
  return rows
    .toSorted((one, other) => Number(one.at) - Number(other.at) || Number(one.seq) - Number(other.seq))
    .map((row) => ({
      org: row.partitionKey.split('|')[0] ?? '',
      action: String(row.action),
      outcome: String(row.outcome),
      count: Number(row.count),
      connection: String(row.connection),
      userId: String(row.user_id),
      actor: `${row.actor_kind} ${row.actor_id}`.trim(),
      correlationId: String(row.correlation_id),
      address: String(row.address),
      detail: JSON.parse(String(row.detail)),
    }));
}

/** Those that some work leaves behind. */
export async function recordedBy(broker: TestBroker, work: () => Promise<unknown>): Promise<SeenRecord[]> {
  const before = (await auditRecords(broker)).length;
  await work();
  return (await auditRecords(broker)).slice(before);
}

/** The end of this process's chain is written, and all of it holds together. */
export async function expectVerified(broker: TestBroker): Promise<void> {
  const found = await broker.composition.broker.verifyAudit(null);
  expect([...found.months.flatMap(({ problems }) => problems), ...found.checkpoints.problems]).toEqual([]);
}
