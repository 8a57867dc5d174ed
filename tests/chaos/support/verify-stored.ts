import { createAzureTables } from '../../../src/adapters/azure-tables/index.ts';
import { createSystemClock } from '../../../src/adapters/system/system-clock.ts';
import { systemDigest } from '../../../src/adapters/system/system-digest.ts';
import { createSystemRandom } from '../../../src/adapters/system/system-random.ts';
import { systemTimers } from '../../../src/adapters/system/system-timers.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { createVerifyAudit } from '../../../src/usecases/audit/verify-audit.ts';
import { createTestKeyring } from '../../support/tables-harness.ts';

/** What `npm run audit:verify` would find. */
export async function verifyStored(connectionString: string): Promise<readonly string[]> {
  const clock = createSystemClock();
  const { auditLog } = createAzureTables({
    connection: { connectionString: new Secret(connectionString) },
    allowInsecureConnection: true,
    keyring: createTestKeyring(),
    clock,
    random: createSystemRandom(),
    timers: systemTimers,
  });
  const verify = createVerifyAudit({ auditLog, clock, digest: systemDigest, policy: { auditRetentionDays: 1 } });
  const found = await verify(null);
  return [...found.months.flatMap(({ problems }) => problems), ...found.checkpoints.problems];
}
