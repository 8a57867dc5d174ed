import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { begin, connect, createConnection, detailOf, land, signIn, withParameters } from './support/authorizing.ts';

let broker: TestBroker;
beforeAll(async () => {
  const settings = { ALLOWED_RETURN_ORIGINS: 'https://app.example.com, https://other.example.com:8443' };
  broker = await startTestBroker({ settings });
  await createConnection(broker, 'vectors');
});
afterAll(() => broker.stop());

const refused = [
  'https://evil.example',
  '//evil.example',
  '//app.example.com',
  '\\\\evil.example',
  '/\\evil.example',
  'https:evil.example',
  'https:app.example.com',
  'https:/app.example.com',
  'https:\\\\app.example.com\\',
  'https://app.example.com\\@evil.example',
  'https://app.example.com@evil.example/',
  'https://user:pass@app.example.com/',
  'https://app.example.com#fragment',
  'https://app.example.com/#',
  'https://app.example.com.evil.example/',
  'https://evil-app.example.com.',
  'https://xapp.example.com/',
  'https://example.com/',
  'http://app.example.com/',
  'https://app.example.com:444/',
  'https://other.example.com/',
  'javascript:alert(1)//https://app.example.com',
  'data:text/html,<script>alert(1)</script>',
  'https://app.example.com/\r\nset-cookie: a=b',
  'https://app.example.com/ /x',
  'https://evil.example/%0d%0a//app.example.com',
  '\thttps://app.example.com/',
  'https://app\u3002evil.example/',
  'https://app.example.com%2eevil.example/',
  'return-to-app',
  '',
];

const taken = [
  'https://app.example.com',
  'https://app.example.com/done?from=bowline&x=%0d%0a',
  'https://other.example.com:8443/a/b',
];

describe('return_url', () => {
  it.each(refused)('400 return_url_not_allowed for %j, and nothing is pending (S-20)', async (url) => {
    const answer = await broker.call('POST', '/api/oauth/connections/vectors/authorize', { body: { return_url: url } });
    expect(answer).toMatchObject({ status: 400, json: { error: 'return_url_not_allowed' } });
    expect(answer.json.details[0].path).toBe('return_url');
    expect((await detailOf(broker, 'vectors')).json.pending_authorization).toBe(false);
  });

  it.each(taken)('takes %s, and ends there with 303, connection and status', async (url) => {
    const name = `taken-${taken.indexOf(url)}`;
    await createConnection(broker, name);
    const page = await land(await signIn(await begin(broker, name, { return_url: url })));
    expect(page.status).toBe(303);
    expect(page.location?.href).toBe(withParameters(url, { connection: name, status: 'completed' }).href);
    expect(page.html).toBe('');
  });

  it('carries why it failed, and neither code nor state', async () => {
    await createConnection(broker, 'denied');
    const started = await begin(broker, 'denied', { return_url: 'https://app.example.com/done' });
    const page = await land(await signIn(started, { deny: true }));
    expect(page.status).toBe(303);
    expect(Object.fromEntries(page.location?.searchParams ?? [])).toEqual({
      connection: 'denied',
      status: 'failed',
      status_reason: 'access_denied',
    });
  });

  it('says what happened, whatever the return_url itself claims', async () => {
    await createConnection(broker, 'claimed');
    const return_url = 'https://app.example.com/?status=failed&connection=x&status_reason=access_denied';
    const page = await land(await signIn(await begin(broker, 'claimed', { return_url })));
    expect(Object.fromEntries(page.location?.searchParams ?? [])).toEqual({
      connection: 'claimed',
      status: 'completed',
    });
  });

  it('is not followed for a callback that belongs to no authorization', async () => {
    await createConnection(broker, 'stranger');
    const redirect = await signIn(await begin(broker, 'stranger', { return_url: 'https://app.example.com/done' }));
    const page = await land(withParameters(redirect, { state: 'made-up' }));
    expect([page.status, page.location]).toEqual([400, null]);
  });

  it('lets nothing through where no origin is allowed', async () => {
    const closed = await startTestBroker();
    try {
      await createConnection(closed, 'closed');
      const body = { return_url: 'https://app.example.com/' };
      const answer = await closed.call('POST', '/api/oauth/connections/closed/authorize', { body });
      expect(answer).toMatchObject({ status: 400, json: { error: 'return_url_not_allowed' } });
      await connect(closed, 'closed');
    } finally {
      await closed.stop();
    }
  });
});
