import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { rowsOf } from '../support/connections.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { addVaultKey, disableVaultKey } from '../support/vault-keys.ts';
import { type Endpoint, startEndpoint } from './support/endpoint.ts';
import { createGranted } from './support/granted.ts';

let broker: TestBroker;
let provider: Endpoint;
beforeAll(async () => {
  [broker, provider] = await Promise.all([
    startTestBroker({ settings: { OAUTH_TOKEN_ENCRYPTION_KEY: '' } }),
    startEndpoint(),
  ]);
});
afterAll(() => Promise.all([broker.stop(), provider.stop()]));

const pending = () => rowsOf(broker, 'OAuthRevocations');

/** A connection whose tokens the provider does not revoke now. Resolves to its refresh token. */
async function leavePending(name: string): Promise<string> {
  const { refresh_token } = await createGranted(broker, name, {}, {}, { revocation_url: `${provider.url}/revoke` });
  provider.answer('/revoke', { status: 503, body: {} });
  const before = (await pending()).length;
  await broker.call('POST', `/api/oauth/connections/${name}/disconnect`, { body: {} });
  await expect.poll(async () => (await pending()).filter(({ attempts }) => attempts === '1').length).toBe(before + 1);
  return refresh_token;
}

async function rekeyed(): Promise<Record<string, unknown>> {
  const { json } = await broker.call('POST', '/api/oauth/rekey', { org: null, body: {} });
  return vi.waitFor(
    async () => {
      const status = await broker.call('GET', `/api/oauth/rekey_job_status?job_id=${json.job_id}`, { org: null });
      expect(status.json.state).toBe('finished');
      return status.json;
    },
    { timeout: 10_000, interval: 20 },
  );
}

it('a revocation that waits is sealed anew too: it is made though the old key is gone', async () => {
  const old = await addVaultKey(broker.vault.url);
  const token = await leavePending('waiting');
  const newest = await addVaultKey(broker.vault.url);
  expect(await rekeyed()).toMatchObject({
    sealed_anew: 1,
    unreadable: 0,
    keys: [{ key_id: newest.id, rows: 1 }],
    old_key_in_use: false,
  });
  expect(await rekeyed()).toMatchObject({ sealed_anew: 0, already_current: 1, old_key_in_use: false });

  await disableVaultKey(broker.vault.url, old);
  provider.answer('/revoke', { status: 200, body: {} });
  const before = provider.requests.length;
  // By then the process has read its keys anew.
  broker.clock.advance(20 * 60_000);
  await broker.host.runTimer('refreshSweep');
  await expect.poll(pending).toEqual([]);
  expect(provider.requests.slice(before)).toContainEqual(expect.stringContaining(token));
});

it('one that no key opens is counted, logged by its id alone, and left as it is', async () => {
  const lost = await addVaultKey(broker.vault.url);
  broker.clock.advance(20 * 60_000);
  const token = await leavePending('lost');
  const [before] = await pending();
  await disableVaultKey(broker.vault.url, lost);
  await addVaultKey(broker.vault.url);
  expect(await rekeyed()).toMatchObject({ sealed_anew: 0, unreadable: 1, old_key_in_use: true });
  const line = broker.lines.find((each) => each.includes('revocation_not_rekeyed')) ?? '{}';
  expect(JSON.parse(line)).toMatchObject({ level: 'error', id: before?.rowKey });
  expect(line).not.toContain(token);
  expect((await pending())[0]?.sealed_0).toEqual(before?.sealed_0);
});
