import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSystemRandom } from '../../src/adapters/system/system-random.ts';
import { withFailure } from '../../src/domain/grant-transitions.ts';
import { credentialsOf } from '../functions/support/authorizing.ts';
import { type Endpoint, startEndpoint } from '../functions/support/endpoint.ts';
import { createRefreshing, tokenAnswer } from '../functions/support/granted.ts';
import { sampleGrant } from '../support/tables-samples.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';

const many = 12;
const names = Array.from({ length: many }, (_, index) => `down-${index}`);

let broker: TestBroker;
let [down, well] = [] as unknown as [Endpoint, Endpoint];
beforeAll(async () => {
  [broker, down, well] = await Promise.all([startTestBroker(), startEndpoint(), startEndpoint()]);
  for (const name of names) await createRefreshing(broker, name, { token_url: `${down.url}/token` });
  for (const name of ['well-1', 'well-2', 'well-3']) {
    await createRefreshing(broker, name, { token_url: `${well.url}/token` });
  }
});
afterAll(async () => {
  await broker.stop();
  await Promise.all([down.stop(), well.stop()]);
});

const readAll = () => Promise.all(names.map((name) => credentialsOf(broker, name)));

describe('S-70 a provider that fails every call', () => {
  it('is called five times at first, however many grants need it, and each caller is told when to come again', async () => {
    down.answer('/token', { status: 503, body: {} });
    for (const name of names) {
      const answer = await credentialsOf(broker, name);
      expect(answer.status).toBe(503);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    }
    await readAll();
    expect(down.requests).toHaveLength(5);
  });

  it('gets one probe in 30 s from then on', async () => {
    const before = down.requests.length;
    for (let minute = 0; minute < 2; minute += 1) {
      for (let half = 0; half < 2; half += 1) {
        broker.clock.advance(30_001);
        await readAll();
        await readAll();
      }
    }
    const probes = down.requests.length - before;
    expect(probes).toBeGreaterThan(0);
    expect(probes).toBeLessThanOrEqual(4);
  });

  it('takes nothing from other providers meanwhile', async () => {
    for (const name of ['well-1', 'well-2', 'well-3']) {
      well.answer('/token', { status: 200, body: tokenAnswer() });
      expect((await credentialsOf(broker, name)).status).toBe(200);
    }
  });

  it('is used again by itself once it answers, for every grant', async () => {
    down.answer('/token', { status: 200, body: tokenAnswer() });
    broker.clock.advance(60_000);
    // The probe; the others wait for it.
    await readAll();
    broker.clock.advance(31_000);
    expect(new Set((await readAll()).map(({ status }) => status))).toEqual(new Set([200]));
  });
});

describe('S-70 grants that failed together', () => {
  it('come back spread over more than a minute, from the second failure on', () => {
    const random = createSystemRandom();
    const failed = { code: 'provider_unavailable', message: '', retryAfterSeconds: undefined } as const;
    const now = 1_700_000_000_000;
    const backs = Array.from({ length: 1000 }, () => {
      let grant = sampleGrant({ failure: null });
      for (let time = 0; time < 3; time += 1) grant = withFailure(grant, failed, now, random.fraction());
      return ((grant.failure?.retryAt ?? now) - now) / 1000;
    });
    expect(Math.min(...backs)).toBeGreaterThanOrEqual(30);
    expect(Math.max(...backs) - Math.min(...backs)).toBeGreaterThan(60);
    const buckets = new Map<number, number>();
    for (const back of backs) buckets.set(Math.floor(back / 10), (buckets.get(Math.floor(back / 10)) ?? 0) + 1);
    // A thundering herd would be most of them within ten seconds.
    expect(Math.max(...buckets.values())).toBeLessThan(250);
  });
});
