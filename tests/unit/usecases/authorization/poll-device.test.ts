import { beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../../../src/domain/secret.ts';
import { createPollDevice } from '../../../../src/usecases/authorization/poll-device.ts';
import { sampleConnection } from '../../../support/tables-samples.ts';

const now = 1_700_000_000_000;
const connection = sampleConnection();
const stateHash = 'ab'.repeat(32);
const first = { stateHash, step: 0, notBefore: now, intervalSeconds: 5, isRedelivered: false };

let events: string[];
let stepAt = 0;
beforeEach(() => {
  events = [];
  stepAt = 0;
});

/** A process with a cold client secret, which is told to stop while the vault takes its time, or is not. */
function processThat({ stops }: { readonly stops: boolean }) {
  let isDraining = false;
  const needs = {
    isDraining: () => isDraining,
    clock: { now: () => now, sleep: async () => {} },
    logger: { info: () => {}, warn: () => {}, error: () => {} },
    providers: { get: () => undefined, list: () => [] },
    policy: { publicBaseUrl: 'https://bowline.example' },
    connections: { get: async () => ({ connection }) },
    vault: {
      get: async () => {
        isDraining = stops;
        return new Secret('client-secret');
      },
    },
    transactions: {
      get: async () => ({
        stateHash,
        connectionOrg: connection.org,
        connection: connection.name,
        endpointsId: connection.endpointsId,
        expiresAt: now + 600_000,
        deviceCode: new Secret('device-code'),
      }),
      takeStep: async (_hash: string, { step, isRedelivered }: { step: number; isRedelivered: boolean }) => {
        if (stepAt !== step && !(isRedelivered && stepAt === step + 1)) return undefined;
        stepAt += 1;
        return stepAt;
      },
      consume: async () => void events.push('consumed'),
    },
    authorizationServer: {
      pollDevice: async () => {
        events.push('asked');
        return { kind: 'pending', slowDown: false };
      },
    },
  };
  return createPollDevice(needs as never);
}

describe('a question about a device whose process stops before it is sent', () => {
  it('is not sent, nothing is lost, and its message comes back', async () => {
    const asked = processThat({ stops: true })(first);
    await expect(asked).rejects.toMatchObject({ code: 'refresh_in_progress', detail: 'this process is stopping' });
    expect(events).toEqual([]);
  });

  it('is asked by the process that gets the message next', async () => {
    await processThat({ stops: true })(first).catch(() => {});
    const next = await processThat({ stops: false })({ ...first, isRedelivered: true });
    expect(events).toEqual(['asked']);
    expect(next).toEqual({ stateHash, step: 2, notBefore: now + 5000, intervalSeconds: 5 });
  });
});
