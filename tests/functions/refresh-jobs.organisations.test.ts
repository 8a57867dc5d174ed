import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { create, rowsOf, signIn } from '../support/connections.ts';
import { type Call, startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { type Endpoint, startEndpoint } from './support/endpoint.ts';
import { createRefreshing, tokenAnswer } from './support/granted.ts';

let broker: TestBroker;
let endpoint: Endpoint;
beforeAll(async () => {
  [broker, endpoint] = await Promise.all([startTestBroker(), startEndpoint()]);
});
afterAll(() => Promise.all([broker.stop(), endpoint.stop()]));

const hours = (count: number) => broker.clock.advance(count * 3_600_000);
const status = (query: string, call: Call) => broker.call('GET', `/api/oauth/refresh_job_status${query}`, call);

function finished(job: string) {
  return vi.waitFor(
    async () => {
      const { json } = await status(`?job_id=${job}`, { org: 'GLOBAL' });
      expect(json.state).toBe('finished');
      return json;
    },
    { timeout: 10_000, interval: 20 },
  );
}

const sweeps = {
  'the timer’s sweep': async () => {
    await broker.host.runTimer('refreshSweep');
    return finished((await status('', { org: 'GLOBAL' })).json.job_id);
  },
  refresh_all: async (org = 'ORG1') => {
    const begun = await broker.call('POST', '/api/oauth/refresh_all', { org, body: {} });
    expect(begun.status, begun.text).toBe(202);
    return finished(begun.json.job_id);
  },
};

describe('an automatic job', () => {
  const figuresOf = ({ due, refreshed, skipped, failed }: Readonly<Record<string, number>>) => ({
    due,
    refreshed,
    skipped,
    failed,
  });

  /** A connection whose token the sweep finds due, and refreshes from an endpoint of its own. */
  async function createDue(name: string, org: string): Promise<void> {
    endpoint.answer(`/${name}`, { status: 200, body: tokenAnswer({ expires_in: 4 * 3600 }) });
    await createRefreshing(broker, name, { token_url: `${endpoint.url}/${name}` }, { org });
    expect((await broker.call('GET', `/api/oauth/credentials/${name}`, { org })).status).toBe(200);
  }

  it('shows each organisation its own figures, and the platform all of them', async () => {
    for (const name of ['a1', 'a2', 'a3']) await createDue(name, 'ORGA');
    for (const name of ['b1', 'b2']) await createDue(name, 'ORGB');
    hours(3.5);
    for (const name of ['a1', 'b1']) endpoint.answer(`/${name}`, { status: 400, body: { error: 'invalid_grant' } });
    const { job_id } = await sweeps['the timer’s sweep']();
    const seen = async (org: string, key: string) => (await status(`?job_id=${job_id}`, { org, key })).json;
    const all = await broker.createKey(['*'], ['auditor']);
    const [ofA, ofB, ofBoth] = [['ORGA'], ['ORGB'], ['ORGA', 'ORGB', 'ORGC']].map((orgs) =>
      broker.createKey(orgs, ['auditor']),
    );
    const [keyOfA, keyOfB, keyOfBoth] = await Promise.all([ofA, ofB, ofBoth]);
    expect(figuresOf(await seen('GLOBAL', all))).toEqual({ due: 5, refreshed: 3, skipped: 0, failed: 2 });
    const a = await seen('ORGA', keyOfA ?? '');
    expect(figuresOf(a)).toEqual({ due: 3, refreshed: 2, skipped: 0, failed: 1 });
    expect(a.errors).toEqual([{ connection_name: 'a1', org_id: 'ORGA', code: 'needs_reauthorization' }]);
    expect(figuresOf(await seen('ORGB', keyOfB ?? ''))).toEqual({ due: 2, refreshed: 1, skipped: 0, failed: 1 });
    expect(figuresOf(await seen('ORGB', keyOfBoth ?? ''))).toEqual({ due: 2, refreshed: 1, skipped: 0, failed: 1 });
    expect(figuresOf(await seen('ORGC', keyOfBoth ?? ''))).toEqual({ due: 0, refreshed: 0, skipped: 0, failed: 0 });
    expect(await status(`?job_id=${job_id}`, { org: 'GLOBAL', key: keyOfA ?? '' })).toMatchObject({ status: 403 });
  });

  it('counts a user’s grant through a GLOBAL connection for the user’s organisation', async () => {
    await create(broker, 'shared', { org: 'GLOBAL' });
    await signIn(broker, 'shared', { org: 'ORGD', userId: 'ann' });
    hours(24.1);
    const { job_id } = await sweeps['the timer’s sweep']();
    const key = await broker.createKey(['ORGD'], ['auditor']);
    const seen = (await status(`?job_id=${job_id}`, { org: 'ORGD', key })).json;
    expect(figuresOf(seen)).toEqual({ due: 1, refreshed: 1, skipped: 0, failed: 0 });
  });
});

describe('users’ tokens whose connection moved to other endpoints', () => {
  it.each(Object.keys(sweeps) as (keyof typeof sweeps)[])('are erased by %s, and go nowhere', async (how) => {
    const name = how === 'refresh_all' ? 'moved-manual' : 'moved-automatic';
    await create(broker, name);
    const { access_token, refresh_token } = tokenAnswer();
    const body = {
      access_token,
      refresh_token,
      expires_at: new Date(broker.clock.now() + 4 * 3_600_000),
      user_id: 'u',
    };
    const imported = await broker.call('POST', `/api/oauth/connections/${name}/tokens`, { body });
    expect(imported.status, imported.text).toBe(200);
    const raw = async () =>
      (await rowsOf(broker, 'OAuthUserGrants')).find(({ connection }) => connection === name) ?? {};
    const sealedBytes = (row: Readonly<Record<string, unknown>>) =>
      Object.entries(row)
        .filter(([column]) => column.startsWith('sealed_'))
        .reduce((sum, [, value]) => sum + (value as Uint8Array).byteLength, 0);
    expect(sealedBytes(await raw())).toBeGreaterThan(0);
    const change = { token_url: `${endpoint.url}/${name}`, client_secret: 'of-the-new-place' };
    const changed = await broker.call('PUT', `/api/oauth/connections/${name}`, { body: change });
    expect(changed.status, changed.text).toBe(200);
    hours(3.9);
    await sweeps[how]();
    const row = await raw();
    expect(row).toMatchObject({ has_refresh_token: false, has_tokens: false });
    expect(sealedBytes(row)).toBe(0);
    expect(endpoint.requests.filter((request) => request.startsWith(`/${name} `))).toEqual([]);
  });
});
