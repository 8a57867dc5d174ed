import { placeOfRecord } from './audit-row.ts';
import { type AuditWriter, type AuditWriterOptions, auditSha256, createAuditWriter } from './audit-writer.ts';

/** A lane writes one transaction at a time, which takes some milliseconds and holds records of one organisation. */
const laneCount = 4;

/**
 * Several writers side by side, each with a chain of its own, so that the records of many organisations do not all wait
 * for each other. Those of one organisation are in one lane and keep their order.
 */
export function createAuditLanes(options: AuditWriterOptions): AuditWriter {
  const lanes = Array.from({ length: laneCount }, () => createAuditWriter(options));
  const laneOf = (partitionKey: string) => lanes[auditSha256(partitionKey).charCodeAt(0) % laneCount] as AuditWriter;
  return {
    append: (record) => laneOf(placeOfRecord(record).partitionKey).append(record),
    async close() {
      await Promise.all(lanes.map((lane) => lane.close()));
    },
  };
}
