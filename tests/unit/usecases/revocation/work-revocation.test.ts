import { beforeEach, describe, expect, it } from 'vitest';
import { BrokerError, type ErrorCode, providerErrorCodes } from '../../../../src/domain/errors.ts';
import type { PendingRevocation } from '../../../../src/domain/revocation.ts';
import { createWorkRevocation } from '../../../../src/usecases/revocation/work-revocation.ts';
import { sampleConnection, sampleTokens } from '../../../support/tables-samples.ts';

const id = 'ab'.repeat(16);
const hourMs = 3_600_000;
const begunAt = 1_700_000_000_000;
const { config, endpointsId, name, org } = sampleConnection();
const { accessToken, refreshToken } = sampleTokens();

let now: number;
let waiting: PendingRevocation | undefined;
let logged: string[];
beforeEach(() => {
  now = begunAt;
  logged = [];
  waiting = {
    id,
    connectionOrg: org,
    connection: name,
    endpointsId,
    createdAt: begunAt,
    attempts: 0,
    nextAt: begunAt,
    config,
    redirectUri: 'https://bowline.example/callback',
    clientSecret: null,
    signingKey: null,
    accessToken,
    refreshToken,
  };
});

type Step = 'open' | 'connection' | 'revoke';

/** One try, in which one step of it may fail. */
function work(step?: Step, error?: unknown) {
  const at = (here: Step) => {
    if (here === step) throw error;
  };
  const needs = {
    clock: { now: () => now },
    logger: {
      info: (event: string) => logged.push(event),
      warn: () => {},
      error: (event: string) => logged.push(event),
    },
    providers: { get: () => undefined, list: () => [] },
    // The connection is gone: what the row holds is used.
    connections: {
      get: async () => at('connection'),
    },
    revocations: {
      state: async () => waiting,
      open: async () => {
        at('open');
        return waiting;
      },
      postpone: async (_id: string, next: { readonly attempts: number; readonly nextAt: number }) => {
        waiting = waiting && { ...waiting, ...next };
      },
      remove: async () => {
        waiting = undefined;
      },
    },
    authorizationServer: {
      revoke: async () => {
        at('revoke');
        return true;
      },
    },
  };
  return createWorkRevocation(needs as never)(id);
}

const failing = (code: ErrorCode) => new BrokerError(code, 'No.');

describe('a try of a revocation', () => {
  it.each<[Step, ErrorCode]>([
    ...providerErrorCodes.map((code): [Step, ErrorCode] => ['revoke', code]),
    ['open', 'grant_unreadable'],
    ['open', 'vault_unavailable'],
    ['connection', 'internal_error'],
  ])('that fails (%s: %s) is put off, and given up a week after it began', async (step, code) => {
    expect(await work(step, failing(code))).toBe('postponed');
    expect(waiting).toMatchObject({ attempts: 1, nextAt: begunAt + 300_000 });
    const outcomes: string[] = [];
    for (let tries = 0; waiting !== undefined && tries < 100; tries += 1) {
      now = waiting.nextAt;
      outcomes.push(await work(step, failing(code)));
    }
    expect(outcomes.at(-1)).toBe('given_up');
    expect(now - begunAt).toBeGreaterThanOrEqual(7 * 24 * hourMs);
    expect(now - begunAt).toBeLessThanOrEqual(7.5 * 24 * hourMs);
    expect(logged).toEqual(['revocation_given_up']);
  });

  it.each<[Step, unknown]>([
    ['connection', failing('storage_unavailable')],
    ['open', failing('misconfigured')],
    ['revoke', new TypeError('a fault of ours')],
  ])('does not count where it is our own fault (%s: %s), not even after a week', async (step, error) => {
    now = begunAt + 8 * 24 * hourMs;
    await expect(work(step, error)).rejects.toBe(error);
    expect(waiting).toMatchObject({ attempts: 0, nextAt: begunAt });
  });

  it('that is answered is the last one', async () => {
    expect(await work('revoke', failing('provider_answer_invalid'))).toBe('postponed');
    now += 300_000;
    expect(await work()).toBe('revoked');
    expect(waiting).toBeUndefined();
    expect(await work()).toBe('gone');
  });
});
