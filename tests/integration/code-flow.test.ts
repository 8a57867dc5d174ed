import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createUserAgent } from '../support/authorization-server.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
});
afterAll(() => broker.stop());

describe('the code flow, from connection to credentials', () => {
  it('gives a live token by name after a person has signed in, and refreshes it when it lapses', async () => {
    const created = await broker.call('POST', '/api/oauth/connections', { body: broker.connectionBody('crm') });
    expect(created.text).toContain('"status":"not_connected"');
    expect(created.status).toBe(201);

    const early = await broker.call('GET', '/api/oauth/credentials/crm');
    expect(early).toMatchObject({ status: 503, json: { error: 'connection_not_ready', status: 'not_connected' } });

    const started = await broker.call('POST', '/api/oauth/connections/crm/authorize', { body: {} });
    expect(started.status).toBe(200);
    const waiting = await broker.call('GET', '/api/oauth/connections/crm');
    expect(waiting.json.status).toBe('waiting_callback');

    const browser = createUserAgent();
    const page = await browser.open(started.json.connect_url);
    expect(page.status).toBe(200);
    const redirect = await browser.browse(started.json.authorization_url);
    const landed = await browser.followTo(redirect);
    expect(landed.html).toContain('is connected');
    expect(landed.status).toBe(200);

    const first = await broker.call('GET', '/api/oauth/credentials/crm');
    expect(first).toMatchObject({
      status: 200,
      json: { connection_name: 'crm', org_id: 'ORG1', method: 'saved_token' },
    });
    const userinfo = await fetch(broker.server.endpoints.userinfo, {
      headers: { authorization: `Bearer ${first.json.access_token}` },
    });
    expect(userinfo.status).toBe(200);

    broker.clock.advance(24 * 3600_000);
    const second = await broker.call('GET', '/api/oauth/credentials/crm');
    expect(second).toMatchObject({ status: 200, json: { method: 'refreshed' } });
    expect(second.json.access_token).not.toBe(first.json.access_token);
    expect(broker.server.tokens.count('refresh_token')).toBe(1);

    const gone = await broker.call('DELETE', '/api/oauth/connections/crm');
    expect(gone).toMatchObject({ status: 200, json: { disabled_workflows: [], revoked: true } });
    expect(await broker.server.isActive(second.json.access_token)).toBe(false);
  });
});
