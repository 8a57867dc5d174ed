import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { bodyFor, createConnection, credentials, proven, type Stage, startStage } from './support.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage.stop());

const withDevices = proven
  .filter(({ flows }) => flows.includes('device_code'))
  .map((entry) => [entry.id, entry] as const);

async function begin(name: string): Promise<{ readonly user_code: string; readonly verification_uri: string }> {
  const begun = await stage.broker.call('POST', `/api/oauth/connections/${name}/authorize`, { body: {} });
  expect(begun.status, begun.text).toBe(200);
  return begun.json;
}

const statusOf = async (name: string) => (await stage.broker.call('GET', `/api/oauth/connections/${name}`)).json.status;

async function decide({ user_code, verification_uri }: Awaited<ReturnType<typeof begin>>, decision: string) {
  const page = await fetch(verification_uri);
  expect(await page.text()).toContain('name="user_code"');
  const answer = await fetch(verification_uri, { method: 'POST', body: new URLSearchParams({ user_code, decision }) });
  expect(answer.status).toBe(200);
}

/** The next question is due. */
const nextPoll = () => stage.broker.clock.advance(6000);

describe('a device', () => {
  test.each(withDevices)('is connected to %s when a person has entered its code', async (id, provider) => {
    const name = `device-${id}`;
    await createConnection(stage, bodyFor(stage, provider, name, { oauth_flow_type: 'device_code' }));
    const begun = await begin(name);
    const asked = stage.tokenCalls(id);
    nextPoll();
    await vi.waitFor(() => expect(stage.tokenCalls(id)).toBeGreaterThan(asked), 5000);
    expect(await statusOf(name)).toBe('waiting_callback');
    await decide(begun, 'allow');
    nextPoll();
    await vi.waitFor(async () => expect(await statusOf(name)).toBe('completed'), 5000);
    expect(await credentials(stage, name)).toMatchObject({ status: 200, json: { method: 'saved_token' } });
  });

  test.each(withDevices)('is refused at %s when the person does not want it', async (id, provider) => {
    const name = `refused-${id}`;
    await createConnection(stage, bodyFor(stage, provider, name, { oauth_flow_type: 'device_code' }));
    await decide(await begin(name), 'deny');
    nextPoll();
    await vi.waitFor(async () => expect(await statusOf(name)).toBe('failed'), 5000);
    expect((await credentials(stage, name)).json).toMatchObject({ status_reason: 'access_denied' });
  });
});

describe('a token of somebody else’s', () => {
  const exchanging = proven
    .filter(({ flows }) => flows.includes('token_exchange'))
    .map((entry) => [entry.id, entry] as const);

  test.each(exchanging)('is exchanged at %s', async (id, provider) => {
    const name = `exchange-${id}`;
    await createConnection(stage, bodyFor(stage, provider, name, { oauth_flow_type: 'token_exchange' }));
    const given = await stage.broker.call('POST', `/api/oauth/credentials/${name}`, {
      body: { subject_token: 'theirs', subject_token_type: 'urn:ietf:params:oauth:token-type:access_token' },
    });
    expect(given, given.text).toMatchObject({ status: 200, json: { method: 'token_exchange' } });
  });
});
