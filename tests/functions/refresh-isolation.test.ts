import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { credentialsOf } from './support/authorizing.ts';
import { type Endpoint, startEndpoint } from './support/endpoint.ts';
import { createRefreshing, tokenAnswer } from './support/granted.ts';

let broker: TestBroker;
let endpoint: Endpoint;
beforeAll(async () => {
  [broker, endpoint] = await Promise.all([startTestBroker(), startEndpoint()]);
});
afterAll(async () => {
  await broker.stop();
  await endpoint.stop();
});

const orgs = ['ORG1', 'ORG2'] as const;

describe('organisations whose connections have one name and one provider', () => {
  it('do not share a refresh that is under way in one process: each gets its own token (I6)', async () => {
    const [one, two] = orgs.map((org) => ({ org, path: `/of-${org}`, tokens: tokenAnswer() }));
    if (one === undefined || two === undefined) throw new Error('two organisations');
    for (const { org, path, tokens } of [one, two]) {
      endpoint.answer(path, { status: 200, body: tokens });
      await createRefreshing(broker, 'twin', { token_url: `${endpoint.url}${path}` }, { org });
    }
    const hold = endpoint.hold(one.path);
    const first = credentialsOf(broker, 'twin', '', { org: one.org });
    await vi.waitFor(() => expect(endpoint.requests).toHaveLength(1));
    const second = credentialsOf(broker, 'twin', '', { org: two.org });
    // The second needs nothing of the first: it ends while that one waits.
    const ended = await Promise.race([second, vi.waitFor(() => expect(endpoint.requests).toHaveLength(2))])
      .then(() => second)
      .finally(() => hold.release());
    expect(ended.json.access_token).toBe(two.tokens.access_token);
    expect((await first).json.access_token).toBe(one.tokens.access_token);
  });

  it('do not stop each other’s calls when one of them finds the provider down (S-70)', async () => {
    const path = '/shared';
    endpoint.answer(path, { status: 503, body: {} });
    const token_url = `${endpoint.url}${path}`;
    for (let count = 0; count < 6; count += 1) await createRefreshing(broker, `down-${count}`, { token_url });
    const refusals: string[] = [];
    for (let count = 0; count < 6; count += 1) {
      refusals.push((await credentialsOf(broker, `down-${count}`)).json.error);
    }
    expect(refusals.slice(0, 5)).toEqual(Array(5).fill('provider_unavailable'));
    const sent = () => endpoint.requests.filter((request) => request.startsWith(`${path} `)).length;
    expect(sent()).toBe(5);

    const tokens = tokenAnswer();
    const others = ['one', 'two'];
    for (const name of others) await createRefreshing(broker, name, { token_url }, { org: 'ORG2' });
    endpoint.answer(path, { status: 200, body: tokens });
    const hold = endpoint.hold(path);
    const reads = others.map((name) => credentialsOf(broker, name, '', { org: 'ORG2' }));
    await vi.waitFor(() => expect(sent(), 'both at once, and not one as a probe').toBe(7)).finally(hold.release);
    for (const { json } of await Promise.all(reads)) expect(json.access_token).toBe(tokens.access_token);
  });
});
