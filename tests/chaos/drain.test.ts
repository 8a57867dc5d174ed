import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { createUserAgent } from '../support/authorization-server.ts';
import { expectAlive, expectSingleUse, resetLedgers, seqsOf } from './support/audit.ts';
import type { ChaosHost } from './support/chaos-host.ts';
import { type ChaosGrant, createConnection, credentials, refresh } from './support/grants.ts';
import { isRefresh } from './support/requests.ts';
import { sized } from './support/size.ts';
import { useWorld } from './support/world.ts';

/** One provider answers at once, the other nearly as late as Bowline waits. */
const slowMs = 6000;
const stops = sized({ short: 3, full: 12, long: 40 });
const stopEveryMs = 250;
const grantsPerHost = 4;

const getWorld = useWorld({ providers: ['strict', 'overlap'] });

it('SIGTERM in the middle of refreshes costs nothing, however often it comes', async () => {
  const world = getWorld();
  const steady = await world.startHost();
  const [slow, quick] = [world.provider('strict'), world.provider('overlap')];
  const grants = await world.grants.connectMany(steady, 'drained', stops * grantsPerHost, [slow, quick]);
  const slows = slow.proxy.on(isRefresh, { kind: 'delay', leastMs: slowMs, mostMs: slowMs });
  resetLedgers(world);
  const before = await seqsOf(world, grants);

  const ends = [];
  const launches = Array.from({ length: Math.min(2, stops) }, () => world.startHost());
  for (let stop = 0; stop < stops; stop += 1) {
    const host = await (launches[stop] as Promise<ChaosHost>);
    if (launches.length < stops) launches.push(world.startHost());
    const own = grants.slice(stop * grantsPerHost, (stop + 1) * grantsPerHost);
    // A host that has just started may not have asked anybody yet. Every other one has asked for all of its grants.
    const isSurelyAmid = stop % 2 === 0;
    ends.push(refreshAndStop(host, own, { afterMs: world.random.between(0, stopEveryMs), isSurelyAmid }));
    await delay(stopEveryMs);
  }
  const results = await Promise.all(ends);

  expect(results.map(({ exitCode }) => exitCode)).toEqual(Array(stops).fill(0));
  const grown = (await seqsOf(world, grants)).map((seq, index) => seq - (before[index] ?? 0));
  const calls = grants.map(({ account, provider }) => provider.ledger.callsOf(account));
  expect(grown, 'each request of the provider is written').toEqual(calls.map(({ length }) => length));
  const asked = results.flatMap(({ answers }) => answers);
  for (const [index, answer] of asked.entries()) {
    const account = grants[index]?.account;
    if (answer?.status === 200) expect(calls[index], account).toMatchObject([{ status: 200 }]);
    else expect(calls[index], `${account}: it was told that nothing happened`).toEqual([]);
  }
  const amid = Math.ceil(stops / 2) * grantsPerHost;
  expect(asked.filter((answer) => answer?.status === 200).length, 'some were in flight').toBeGreaterThanOrEqual(amid);
  expect(slows.hits(), 'for long').toBeGreaterThanOrEqual(amid / 2);
  expectSingleUse(grants);
  world.calm();
  resetLedgers(world);
  await expectAlive(steady, grants);
});

it('SIGTERM while a code is redeemed, or tokens are revoked, waits for the end of it', async () => {
  const world = getWorld();
  world.calm();
  const steady = await world.startHost();
  const provider = world.provider('strict');
  const cut = await world.grants.connect(steady, { provider, connection: 'cut' });
  const { access_token: oldToken } = (await credentials(steady, cut)).json;
  await createConnection(steady, provider, 'signing-in', 'ORG1');
  const started = await steady.call('POST', '/api/oauth/connections/signing-in/authorize', { body: {} });
  const { pathname, search } = await createUserAgent().browse(started.json.authorization_url, { login: 'person' });
  const host = await world.startHost({ PUBLIC_BASE_URL: steady.url });

  const hold = provider.proxy.hold(({ method, path }) => method === 'POST' && path.startsWith('/token'), {
    at: 'answer',
  });
  const page = fetch(new URL(`${pathname}${search}`, host.url));
  const disconnected = host.call('POST', '/api/oauth/connections/cut/disconnect', { body: {} });
  await hold.waiting(2);
  const ended = host.terminate();
  await vi.waitFor(() => expect(fetch(`${host.url}/api/health`)).rejects.toThrow(), { timeout: 5000, interval: 20 });
  hold.release();

  expect((await page).status).toBe(200);
  expect(await disconnected).toMatchObject({ status: 200, json: { revoked: true } });
  expect(await ended).toBe(0);
  expect(await provider.server.isActive(oldToken)).toBe(false);
  const signedIn = { org: 'ORG1', connection: 'signing-in', userId: null, provider, account: 'person' };
  const served = await credentials(steady, signedIn);
  expect(served).toMatchObject({ status: 200 });
  expect((await provider.server.provider.AccessToken.find(served.json.access_token))?.accountId).toBe('person');
});

interface Stop {
  readonly afterMs: number;
  /** Not before the providers have been asked for each grant; the slow one needs longer for its answer. */
  readonly isSurelyAmid: boolean;
}

async function refreshAndStop(host: ChaosHost, grants: readonly ChaosGrant[], { afterMs, isSurelyAmid }: Stop) {
  const answers = Promise.all(grants.map((grant) => refresh(host, grant)));
  const isAsked = ({ provider, account }: ChaosGrant) => provider.ledger.callsOf(account).length > 0;
  if (isSurelyAmid) await vi.waitUntil(() => grants.every(isAsked), { timeout: slowMs, interval: 10 });
  await delay(afterMs);
  const exitCode = await host.terminate();
  return { exitCode, answers: await answers };
}
