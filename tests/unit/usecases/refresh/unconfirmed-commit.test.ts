import { expect, it } from 'vitest';
import { createProviderGate } from '../../../../src/adapters/provider-gate/provider-gate.ts';
import { Secret } from '../../../../src/domain/secret.ts';
import type { GrantStore, RowVersion, StoredGrant } from '../../../../src/ports/grant-store.ts';
import type { LogFields, Logger } from '../../../../src/ports/logger.ts';
import { createGrantRefresher } from '../../../../src/usecases/refresh/refresh-grant.ts';
import type { RefreshNeeds } from '../../../../src/usecases/refresh/settle-refresh.ts';
import { ownKey, sampleConnection, sampleGrant, sampleTokens } from '../../../support/tables-samples.ts';

const now = 1_700_003_500_000;
const connection = sampleConnection();
const stored: StoredGrant = { key: ownKey(connection), grant: sampleGrant(), row: {} as RowVersion };

/** A provider that gives new tokens, and storage that never says what became of them. */
function unconfirming(log: (line: { event: string; fields: LogFields | undefined }) => void): RefreshNeeds {
  const grants: Partial<GrantStore> = {
    claim: async () => ({
      kind: 'claimed',
      claim: { stored, endsAt: now + 30_000, isTakeover: false, interruptedMs: 0 },
    }),
    open: async () => sampleTokens('old'),
    commit: async () => ({ kind: 'unknown' }),
  };
  const error: Logger['error'] = (event, fields) => log({ event, fields });
  const issued = { tokens: sampleTokens('new'), requestedAt: now, expiresAt: now + 3_600_000, scopes: null };
  const needs = {
    clock: { now: () => now, sleep: () => Promise.resolve() },
    random: { fraction: () => 0.5 },
    grants,
    vault: { get: async () => new Secret('client-secret') },
    authorizationServer: { refresh: async () => issued },
    gate: createProviderGate({ clock: { now: () => now } }),
    logger: { error },
    policy: { refreshWindowSeconds: 600, sweepIntervalSeconds: 1800, idleAfterSeconds: 604_800 },
  };
  return needs as unknown as RefreshNeeds;
}

it('gives nobody tokens that storage has not confirmed, and logs their loss without them', async () => {
  const lines: { event: string; fields: LogFields | undefined }[] = [];
  const refresher = createGrantRefresher(unconfirming((line) => lines.push(line)));
  const refused = refresher.refresh({ connection, stored, isFresh: () => false, waitMs: 0 });
  await expect(refused).rejects.toMatchObject({ code: 'storage_unavailable', retryAfterSeconds: 5 });
  expect(lines).toMatchObject([{ event: 'refresh_outcome_lost', fields: { org: 'acme', connection: 'crm' } }]);
  expect(JSON.stringify(lines)).not.toMatch(/access-|refresh-|client-secret/);
});
