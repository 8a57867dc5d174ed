import { markdownTable } from 'markdown-table';
import type { AuditVerification } from '../../src/usecases/audit/verify-audit.ts';

/** What was looked at, as a table. */
export function verificationTable(
  months: AuditVerification['months'],
  checkpoints: AuditVerification['checkpoints'],
): string {
  const rows = months.map(({ month, chains, records, problems }) => [month, chains, records, problems.length]);
  const last = ['checkpoints', '', checkpoints.count, checkpoints.problems.length];
  const cells = [['month', 'chains', 'records', 'problems'], ...rows, last].map((row) => row.map(String));
  return markdownTable(cells, { align: ['l', 'r', 'r', 'r'] });
}
