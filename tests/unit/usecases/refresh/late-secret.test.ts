import { expect, it } from 'vitest';
import { BrokerError } from '../../../../src/domain/errors.ts';
import { Secret } from '../../../../src/domain/secret.ts';
import { requestTokens } from '../../../../src/usecases/refresh/request-tokens.ts';
import { sampleConnection, sampleTokens } from '../../../support/tables-samples.ts';

const leaseEndsAt = 1_700_000_030_000;

/** The provider rejects the client; the vault has a newer secret, which takes it some seconds to give. */
async function refresh(vaultTakesMs: number, isStopping = false) {
  let now = leaseEndsAt - 16_000;
  let isTooLateToSend = false;
  const submitted: string[] = [];
  const secrets = ['old', 'new'];
  const needs = {
    providers: { get: () => undefined, list: () => [] },
    policy: { publicBaseUrl: 'https://bowline.example' },
    connections: { get: async () => undefined },
    clock: { now: () => now },
    isTooLateToSend: () => isTooLateToSend,
    vault: {
      get: async (_reference: string, options?: { readonly fresh?: boolean }) => {
        if (options?.fresh) {
          now += vaultTakesMs;
          isTooLateToSend = isStopping;
        }
        return new Secret(secrets.shift() ?? 'new');
      },
    },
    authorizationServer: {
      refresh: async ({ clientSecret }: { readonly clientSecret: Secret }) => {
        submitted.push(clientSecret.reveal());
        if (clientSecret.reveal() === 'old') throw new BrokerError('provider_rejected_client', 'No.');
        return { tokens: sampleTokens('fresh'), requestedAt: now, expiresAt: null, scopes: null };
      },
    },
  };
  const asked = requestTokens(needs as never, sampleConnection(), sampleTokens('before'), leaseEndsAt);
  return { submitted, result: await asked.catch((error: unknown) => error) };
}

it('asks again with the newer secret while enough of the lease is left', async () => {
  const { submitted, result } = await refresh(3000);
  expect(submitted).toEqual(['old', 'new']);
  expect(result).toMatchObject({ issued: { requestedAt: leaseEndsAt - 13_000 } });
});

it('does not ask again when the vault took so long that somebody else may hold the lease', async () => {
  const { submitted, result } = await refresh(5000);
  expect(submitted).toEqual(['old']);
  expect(result).toMatchObject({ code: 'provider_rejected_client' });
});

it('does not ask again when the process stops meanwhile, which says nothing about the client', async () => {
  const { submitted, result } = await refresh(3000, true);
  expect(submitted).toEqual(['old']);
  expect(result).toMatchObject({ code: 'refresh_in_progress' });
});
