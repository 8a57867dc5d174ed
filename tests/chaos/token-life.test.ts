import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { createSeededRandom } from './support/seeded-random.ts';
import { sized } from './support/size.ts';
import { startVirtualBroker, type TimedGrant, type VirtualBroker } from './support/virtual-broker.ts';

/** I8 in full asks for 500 grants and ten hours. The clock is the test's own: it does not run, it jumps. */
const load = sized({
  short: { grants: 20, hours: 3, bursts: 5, readsAtOnce: 6 },
  full: { grants: 100, hours: 10, bursts: 8, readsAtOnce: 10 },
  long: { grants: 500, hours: 10, bursts: 60, readsAtOnce: 16 },
});

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const sweepEveryMs = 30 * minuteMs;
const sweepMarginMs = 5 * minuteMs;
const latestSweepMs = 3 * minuteMs;
const windowMs = 4 * hourMs;
const jitterMs = 5 * minuteMs;
const keepAliveMs = 24 * hourMs;
const forcedRefreshEveryMs = 30_000;
const defaultLifeSeconds = 60;
/** The clock goes on by so much while calls are under way. */
const tickMs = 2000;
/** Broker and server may see a token begin at different ticks. */
const ticksMs = 5000;
/** From a minute to a day; a sweep can keep those from 2100 s on, the first of them only just. */
const lives = [60, 75, 90, 900, 2099, 2100, 2130, 2200, 2400, 2700, 3300, 3600, 7200, 14_400, 28_800, 86_400];

interface Read {
  readonly grant: TimedGrant;
  readonly kind: 'plain' | 'min_ttl' | 'too much' | 'forced';
  /** Null: the default. */
  readonly minTtlSeconds: number | null;
}

const random = createSeededRandom(inject('chaosSeed')).branch('token-life');
const underWay = new Map<string, Set<Read>>();
const needless: string[] = [];
let isSweeping = false;
let virtual: VirtualBroker;

beforeAll(async () => {
  virtual = await startVirtualBroker(random.branch('grants'), noteRefresh);
}, 60_000);
afterAll(() => virtual.stop());

it('every token that is served has the promised life, none lapses that a sweep can save, and no refresh is needless', async () => {
  const grants = await virtual.grant(Array.from({ length: load.grants }, (_, index) => lifeOf(index)));
  const start = virtual.now();
  for (let at = 0; at < load.hours * hourMs; at += sweepEveryMs) {
    const sweepAt = start + at + random.between(0, latestSweepMs);
    const readAt = Array.from({ length: load.bursts }, () => start + at + random.between(0, sweepEveryMs - minuteMs));
    await readAll(readAt.filter((time) => time < sweepAt).toSorted(), grants);
    virtual.moveTo(sweepAt);
    await sweepAndRead(grants);
    await readAll(readAt.filter((time) => time >= sweepAt).toSorted(), grants);
  }
  virtual.moveTo(start + load.hours * hourMs);

  expect(needless).toEqual([]);
  expect(virtual.server.refused, 'no refresh token was used twice').toEqual([]);
  for (const grant of grants) if (isForSweep(grant)) expectNoLapse(grant);
}, 600_000);

function lifeOf(index: number): number {
  const life = lives[index % lives.length] ?? defaultLifeSeconds;
  return index < lives.length ? life : life + random.between(0, 30);
}

/** Whether sweeps come by often enough to keep the grant's token alive. */
function isForSweep({ lifeSeconds }: Pick<TimedGrant, 'lifeSeconds'>): boolean {
  return lifeSeconds * 1000 >= sweepEveryMs + sweepMarginMs;
}

/** Each time is followed by a second look at the same grants, seconds later. */
async function readAll(times: readonly number[], grants: readonly TimedGrant[]): Promise<void> {
  for (const time of times) {
    virtual.moveTo(time);
    const chosen = random.shuffled(grants).slice(0, load.readsAtOnce);
    await burst(chosen);
    virtual.moveTo(virtual.now() + random.between(1, 40_000));
    await burst(chosen);
  }
}

async function sweepAndRead(grants: readonly TimedGrant[]): Promise<void> {
  isSweeping = true;
  const worked = virtual.worked(await virtual.sweep());
  for (let count = 0; count < 3; count += 1) await burst(random.shuffled(grants).slice(0, load.readsAtOnce));
  await worked;
  isSweeping = false;
}

/** Reads at once, and lets some time go by meanwhile. */
async function burst(grants: readonly TimedGrant[]): Promise<void> {
  const reads = grants.map((grant) => read(readOf(grant)));
  await Promise.race(reads);
  virtual.moveTo(virtual.now() + random.between(0, tickMs));
  await Promise.all(reads);
}

function readOf(grant: TimedGrant): Read {
  const { lifeSeconds } = grant;
  const kind = random.pick(['plain', 'plain', 'min_ttl', 'too much', 'forced'] as const);
  switch (kind) {
    case 'min_ttl':
      return { grant, kind, minTtlSeconds: random.between(0, lifeSeconds - ticksMs / 1000) };
    case 'too much':
      return { grant, kind, minTtlSeconds: lifeSeconds + random.between(1, 1000) };
    default:
      return { grant, kind, minTtlSeconds: null };
  }
}

async function read(request: Read): Promise<void> {
  const { grant, kind, minTtlSeconds } = request;
  const { account } = grant;
  const label = `${account}, ${grant.lifeSeconds} s, ${kind} ${minTtlSeconds ?? ''}`;
  const others = underWay.get(account) ?? new Set();
  underWay.set(account, others.add(request));
  const beganAt = virtual.now();
  const answer = await virtual.read(grant, {
    ...(minTtlSeconds !== null && { min_ttl_seconds: String(minTtlSeconds) }),
    ...(kind === 'forced' && { force_refresh: 'true' }),
  });
  others.delete(request);

  if (kind === 'too much') {
    expect(answer, label).toMatchObject({ status: 503, json: { error: 'token_life_too_short' } });
    return;
  }
  expect(answer, label).toMatchObject({ status: 200 });
  const token = virtual.server.find(answer.json.access_token);
  expect(token?.account, `${label}: whose the token is`).toBe(account);
  if (token === undefined) return;
  const promisedMs = promisedSeconds(request) * 1000;
  expect(token.endsAt - beganAt, `${label}: its life`).toBeGreaterThanOrEqual(promisedMs);
  expect(Date.parse(answer.json.expires_at), `${label}: what is said of it`).toBeLessThanOrEqual(token.endsAt);
  if (kind === 'forced') expect(token.at, label).toBeGreaterThanOrEqual(beganAt - forcedRefreshEveryMs - ticksMs);
  // Only a token that no sweep can keep alive lets a reader wait for the provider.
  if (kind === 'plain' && isForSweep(grant)) expect(answer.json.method, label).toBe('saved_token');
}

/** What the API promises: as much as was asked for, or a minute, or half of a short life. */
function promisedSeconds({ minTtlSeconds, grant: { lifeSeconds } }: Read): number {
  if (minTtlSeconds !== null) return minTtlSeconds;
  return lifeSeconds > defaultLifeSeconds ? defaultLifeSeconds : lifeSeconds / 2;
}

/** The ideal: a refresh happens because the token is due at a sweep, or too short for a call, or by force. */
function noteRefresh(account: string): void {
  const last = virtual.server.issuedTo(account).at(-1);
  if (last === undefined) return;
  const now = virtual.now() + ticksMs;
  const isDue = isSweeping && now >= earliestDue(last.at, last.endsAt);
  const isNeeded = [...(underWay.get(account) ?? [])].some(
    (request) =>
      last.endsAt - now < promisedSeconds(request) * 1000 ||
      (request.kind === 'forced' && now - last.at >= forcedRefreshEveryMs),
  );
  if (isDue || isNeeded) return;
  const [ageMs, leftMs] = [virtual.now() - last.at, last.endsAt - virtual.now()];
  needless.push(`${account}: after ${ageMs} ms, ${leftMs} ms before its end`);
}

/** When a grant is due, with all of the jitter. */
function earliestDue(issuedAt: number, endsAt: number): number {
  const lifeMs = endsAt - issuedAt;
  if (lifeMs < sweepEveryMs + sweepMarginMs) return issuedAt + keepAliveMs;
  const wanted = Math.max(issuedAt + lifeMs / 2, endsAt - windowMs);
  const due = Math.min(wanted, endsAt - sweepEveryMs - sweepMarginMs) - jitterMs;
  return Math.max(issuedAt, due);
}

function expectNoLapse({ account, lifeSeconds }: TimedGrant): void {
  const issued = virtual.server.issuedTo(account);
  const lapses = issued.filter(({ endsAt }, index) => (issued[index + 1]?.at ?? virtual.now()) >= endsAt);
  expect(lapses, `${account}, ${lifeSeconds} s: ended before the next came`).toEqual([]);
}
