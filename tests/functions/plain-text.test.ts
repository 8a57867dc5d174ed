import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
});
afterAll(() => broker.stop());

/** What rows are named by and what is hashed for the audit log. */
const fields = [
  ['POST', '/api/oauth/callers', 'name', { roles: ['reader'] }],
  ['POST', '/api/oauth/revoke', 'user_id', { dry_run: true }],
  ['POST', '/api/oauth/revoke', 'connection_name', { dry_run: true }],
  ['POST', '/api/oauth/revoke', 'provider', { dry_run: true }],
  ['POST', '/api/oauth/revoke', 'created_by', { dry_run: true }],
  ['POST', '/api/oauth/connections/crm/disconnect', 'user_id', {}],
  ['POST', '/api/oauth/workflows/w/disable', 'reason', {}],
] as const;

describe.each(fields)('%s %s', (method, path, field, rest) => {
  it.each([
    ['half a surrogate pair', 'a\ud83d'],
    ['the other half', '\udca9b'],
    ['a zero', 'a\u0000b'],
    ['a line feed', 'a\nb'],
    ['a control character of the second block', 'a\u0085'],
  ])(`400 for ${field} with %s`, async (_what, text) => {
    const answer = await broker.call(method, path, { body: { ...rest, [field]: text } });
    expect(answer).toMatchObject({
      status: 400,
      json: {
        error: 'validation_failed',
        details: [{ path: field, message: 'must be well-formed Unicode without control characters' }],
      },
    });
  });
});

it('other scripts and whole pairs are taken', async () => {
  const body = { name: 'Zürich 東京 \u{1f6a2}', roles: ['reader'] };
  const made = await broker.call('POST', '/api/oauth/callers', { body });
  expect([made.status, made.json.name]).toEqual([201, body.name]);
});
