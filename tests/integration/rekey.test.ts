import pLimit from 'p-limit';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Endpoint, startEndpoint } from '../functions/support/endpoint.ts';
import { createRefreshing, tokenAnswer } from '../functions/support/granted.ts';
import { startTestBroker, type TestBroker, type TestBrokerOptions } from '../support/test-broker.ts';
import { addVaultKey, disableVaultKey, type VaultKey } from '../support/vault-keys.ts';

const options: TestBrokerOptions = {
  settings: { OAUTH_TOKEN_ENCRYPTION_KEY: '' },
  rekeyLimits: { pageRows: 25, stepRows: 25, stepMs: 5000 },
};
const names = Array.from({ length: 40 }, (_, index) => `c${index}`);
const users = Array.from({ length: 460 }, (_, index) => `user-${index}`);
const rows = names.length + users.length;
/** Those that are refreshed over and over while the job runs. */
const busy = ['c0', 'c7', 'c14', 'c21', 'c28', 'c39'];

let broker: TestBroker;
let endpoint: Endpoint;
let oldKey: VaultKey;
/** The tokens that each grant should have: the connection's own, or `c1 user`. */
const expected = new Map<string, { readonly access_token: string; readonly refresh_token: string }>();

beforeAll(async () => {
  [broker, endpoint] = await Promise.all([startTestBroker(options), startEndpoint()]);
  oldKey = await addVaultKey(broker.vault.url);
  for (const name of names) await createRefreshing(broker, name, { token_url: `${endpoint.url}/${name}` });
  await Promise.all(names.map((name) => importTokens(name)));
  await Promise.all(users.map((user) => importTokens('c1', user)));
}, 60_000);
afterAll(async () => {
  await broker.stop();
  await endpoint.stop();
});

async function importTokens(name: string, user?: string): Promise<void> {
  const { access_token, refresh_token } = tokenAnswer();
  const expires_at = new Date(broker.clock.now() + 3_600_000);
  const body = { access_token, refresh_token, expires_at, ...(user !== undefined && { user_id: user }) };
  const imported = await broker.call('POST', `/api/oauth/connections/${name}/tokens`, { body });
  expect(imported.status, imported.text).toBe(200);
  expected.set(user === undefined ? name : `${name} ${user}`, { access_token, refresh_token });
}

/** Refreshes the busy connections over and over. The provider rotates: each refresh token is good for one request. */
function refreshing(process: TestBroker): { stop(): Promise<number> } {
  let isStopped = false;
  const loops = busy.map(async (name) => {
    let count = 0;
    for (; !isStopped; count += 1) {
      const before = expected.get(name)?.refresh_token;
      const next = tokenAnswer();
      endpoint.answer(`/${name}`, { status: 200, body: next });
      const answer = await process.call('POST', `/api/oauth/connections/${name}/refresh`, { body: {} });
      expect(answer.json, answer.text).toMatchObject({ refreshed: true });
      const sent = endpoint.requests.findLast((request) => request.startsWith(`/${name} `));
      expect(new URLSearchParams(sent?.split(' ')[1]).get('refresh_token')).toBe(before);
      expected.set(name, next);
    }
    return count;
  });
  return {
    async stop() {
      isStopped = true;
      return (await Promise.all(loops)).reduce((sum, count) => sum + count, 0);
    },
  };
}

async function expectEverythingOpens(process: TestBroker): Promise<void> {
  const limit = pLimit(20);
  const open = async (key: string, access_token: string) => {
    const [name, user] = key.split(' ');
    const answer = await process.call(
      'GET',
      `/api/oauth/credentials/${name}${user === undefined ? '' : `?user_id=${user}`}`,
    );
    expect(answer.status, `${key}: ${answer.text}`).toBe(200);
    expect(answer.json.access_token, key).toBe(access_token);
  };
  await Promise.all([...expected].map(([key, tokens]) => limit(() => open(key, tokens.access_token))));
}

it('rotates the key of 500 rows while six of them are refreshed and the process is replaced (I14, S-45)', async () => {
  await expectEverythingOpens(broker);
  const newKey = await addVaultKey(broker.vault.url);
  const firstLoops = refreshing(broker);
  const begun = await broker.call('POST', '/api/oauth/rekey', { org: null, body: {} });
  expect(begun.status, begun.text).toBe(202);
  const jobId = begun.json.job_id;
  const jobNow = () => broker.composition.broker.getRekeyJob(jobId);
  await vi.waitFor(async () => expect((await jobNow()).sealedAnew).toBeGreaterThan(0), {
    timeout: 10_000,
    interval: 5,
  });
  // First the loops: a request that is on its way to a connection that closes is nobody's fault.
  const refreshedBefore = await firstLoops.stop();
  await broker.host.stop();
  const halfway = await jobNow();
  expect(halfway.finishedAt).toBeNull();
  expect(halfway.sealedAnew + halfway.alreadyCurrent).toBeLessThan(rows);

  const second = await startTestBroker({ ...options, beside: broker });
  try {
    const secondLoops = refreshing(second);
    const job = await vi.waitFor(
      async () => {
        const { json } = await second.call('GET', `/api/oauth/rekey_job_status?job_id=${jobId}`, { org: null });
        expect(json.state).toBe('finished');
        return json;
      },
      { timeout: 45_000, interval: 50 },
    );
    const refreshedAfter = await secondLoops.stop();
    expect(Math.min(refreshedBefore, refreshedAfter)).toBeGreaterThan(0);
    expect(job).toMatchObject({ unreadable: 0, keys: [{ key_id: newKey.id, rows }], old_key_in_use: false });
    expect(job.sealed_anew + job.already_current).toBe(rows);
    expect(job.sealed_anew).toBeGreaterThan(rows - 2 * busy.length);
  } finally {
    await second.stop();
  }

  await disableVaultKey(broker.vault.url, oldKey);
  const third = await startTestBroker({ ...options, beside: broker });
  try {
    await expectEverythingOpens(third);
  } finally {
    await third.stop();
  }
}, 90_000);
