import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { credentialsOf, detailOf } from '../functions/support/authorizing.ts';
import { createGranted } from '../functions/support/granted.ts';
import type { CannedAnswer } from '../support/authorization-server/token-recorder.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
});
afterAll(() => broker.stop());
// So that no case finds the provider paused for the failures of those before.
afterEach(() => broker.clock.advance(31_000));

type Reply = readonly [title: string, status: number, body: unknown, headers?: Readonly<Record<string, string>>];

const page = '<!doctype html><h1>Sorry</h1>';
const inTwoMinutes = () => new Date(broker.clock.now() + 120_000).toUTCString();

const dead: readonly Reply[] = [
  ['invalid_grant', 400, { error: 'invalid_grant' }],
  ['invalid_grant as 401', 401, { error: 'invalid_grant' }],
  ['invalid_grant with a text', 400, { error: 'invalid_grant', error_description: 'Token has been revoked.' }],
  ['a dead token as 200', 200, { ok: false, error: 'token_revoked' }],
  ['a list of errors', 401, { errors: [{ errorType: 'invalid_grant' }] }],
  ['interaction_required', 400, { error: 'interaction_required' }],
];
const rejectedClient: readonly Reply[] = [
  ['invalid_client', 401, { error: 'invalid_client' }],
  ['invalid_client as 400', 400, { error: 'invalid_client' }],
  ['unauthorized_client', 400, { error: 'unauthorized_client' }],
  ['a challenge', 401, '', { 'www-authenticate': 'Basic realm="token"' }],
  ['a rejected client as 200', 200, { error: 'incorrect_client_credentials' }],
];
const rejectedRequest: readonly Reply[] = [
  ['invalid_scope', 400, { error: 'invalid_scope' }],
  ['invalid_request', 400, { error: 'invalid_request' }],
  ['unsupported_grant_type', 400, { error: 'unsupported_grant_type' }],
  ['an unknown error', 400, { error: 'computer_says_no' }],
];
const unavailable: readonly Reply[] = [
  ['429', 429, { error: 'slow_down' }],
  ['429 that claims invalid_grant', 429, { error: 'invalid_grant' }],
  ['500', 500, page],
  ['500 that claims invalid_grant', 500, { error: 'invalid_grant' }],
  ['502', 502, page],
  ['503', 503, ''],
  ['504', 504, page],
  ['408', 408, ''],
  ['temporarily_unavailable', 400, { error: 'temporarily_unavailable' }],
  ['server_error as 200', 200, { error: 'server_error' }],
];
const unreadable: readonly Reply[] = [
  ['a page as 200', 200, page],
  ['a page as 400', 400, page],
  ['half a JSON', 200, '{"access_token":"a'],
  ['an empty 200', 200, ''],
  ['a list', 200, '[]'],
  ['no token', 200, {}],
  ['301', 301, '', { location: 'https://elsewhere.example/' }],
  ['307', 307, '', { location: 'https://elsewhere.example/' }],
];

const named = (replies: readonly Reply[]) => replies.map((reply) => [reply[0], reply] as const);
const nameOf = (title: string) => title.replace(/\W/g, '-');
const refresh = (name: string) => broker.call('POST', `/api/oauth/connections/${name}/refresh`, { body: {} });

async function meet(reply: Reply) {
  const [title, status, body, headers = {}] = reply;
  const name = nameOf(title);
  const { access_token } = await createGranted(broker, name, { expires_in: 3600 });
  const calls = broker.server.tokens.count();
  broker.server.tokens.respondNext({ status, body, headers } satisfies CannedAnswer);
  const answer = await refresh(name);
  return { name, access_token, answer, calls: () => broker.server.tokens.count() - calls };
}

/** The grant is as it was: the token that lives is served, and the failure shows. */
async function expectAlive({ name, access_token }: Awaited<ReturnType<typeof meet>>, code: string): Promise<void> {
  expect((await detailOf(broker, name)).json).toMatchObject({
    status: 'completed',
    has_refresh_token: true,
    failure: { code, attempts: 1 },
  });
  expect((await credentialsOf(broker, name)).json.access_token).toBe(access_token);
}

it('S-36 has thirty replies and more', () => {
  const all = [...dead, ...rejectedClient, ...rejectedRequest, ...unavailable, ...unreadable];
  expect(all.length).toBeGreaterThanOrEqual(30);
});

describe('S-36 a refresh that is answered by', () => {
  it.each(named(dead))('%s: a person has to authorize again, and nobody calls any more', async (_title, reply) => {
    const met = await meet(reply);
    expect(met.answer).toMatchObject({ status: 503, json: { error: 'needs_reauthorization' } });
    expect((await detailOf(broker, met.name)).json).toMatchObject({
      status: 'failed',
      status_reason: 'needs_reauthorization',
      has_refresh_token: false,
    });
    await refresh(met.name);
    expect((await credentialsOf(broker, met.name)).json.error).toBe('connection_not_ready');
    expect(met.calls()).toBe(1);
  });

  it.each(named(rejectedClient))('%s: the client is at fault, and the grant lives', async (_title, reply) => {
    const met = await meet(reply);
    expect(met.answer).toMatchObject({ status: 503, json: { error: 'provider_rejected_client' } });
    await expectAlive(met, 'provider_rejected_client');
  });

  it.each(named(rejectedRequest))('%s: the request is at fault, and the grant lives', async (_title, reply) => {
    const met = await meet(reply);
    expect(met.answer).toMatchObject({ status: 503, json: { error: 'provider_rejected_request' } });
    await expectAlive(met, 'provider_rejected_request');
  });

  it.each(named(unavailable))('%s: later, with Retry-After', async (_title, reply) => {
    const met = await meet(reply);
    expect(met.answer).toMatchObject({ status: 503, json: { error: 'provider_unavailable' } });
    expect(Number(met.answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    await expectAlive(met, 'provider_unavailable');
  });

  it.each(named(unreadable))('%s: later, for that was no answer', async (_title, reply) => {
    const met = await meet(reply);
    expect(met.answer).toMatchObject({ status: 503, json: { error: 'provider_answer_invalid' } });
    await expectAlive(met, 'provider_answer_invalid');
  });

  it.each([
    ['seconds', () => '120'],
    ['a date', inTwoMinutes],
  ])('429 with a Retry-After in %s: not before', async (form, wait) => {
    const met = await meet([`waits-${nameOf(form)}`, 429, '', { 'retry-after': wait() }]);
    const told = Number(met.answer.headers.get('retry-after'));
    expect(told).toBeGreaterThan(110);
    expect(told).toBeLessThanOrEqual(121);
    const { next_refresh_at } = (await detailOf(broker, met.name)).json;
    expect(Date.parse(next_refresh_at)).toBeGreaterThan(broker.clock.now() + 100_000);
  });

  it('nothing, for the connection broke: later', async () => {
    await createGranted(broker, 'hung-up', { expires_in: 3600 });
    broker.server.tokens.dropNext();
    expect((await refresh('hung-up')).json.error).toBe('provider_unavailable');
  });
});
