import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { begin, createConnection, credentialsOf, detailOf, land, signIn } from '../functions/support/authorizing.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
});
afterAll(() => broker.stop());

/** A connection whose code was answered so. */
async function answered(name: string, body: Readonly<Record<string, unknown>>) {
  await createConnection(broker, name, { issuer: null, userinfo_url: null, scopes: 'read write' });
  const redirect = await signIn(await begin(broker, name));
  broker.server.tokens.respondNext({ status: 200, body: { access_token: `at-of-${name}`, ...body } });
  return { page: await land(redirect), detail: (await detailOf(broker, name)).json };
}

describe('S-32 what was granted is kept as it is', () => {
  it('fewer scopes than were asked for: which are missing is shown', async () => {
    const { page, detail } = await answered('fewer', { scope: 'read', refresh_token: 'rt', expires_in: 3600 });
    expect(page.status).toBe(200);
    expect(detail).toMatchObject({ status: 'completed', granted_scopes: 'read', missing_scopes: ['write'] });
    expect((await credentialsOf(broker, 'fewer')).json.scopes).toBe('read');
  });

  it('other scopes than were asked for: those, and both are missing', async () => {
    const { detail } = await answered('others', { scope: 'admin', refresh_token: 'rt', expires_in: 3600 });
    expect(detail).toMatchObject({ granted_scopes: 'admin', missing_scopes: ['read', 'write'] });
  });

  it('no refresh token: shown, and failed for want of a person once the token has lapsed', async () => {
    const { detail } = await answered('unrenewable', { expires_in: 120 });
    expect(detail).toMatchObject({ status: 'completed', has_refresh_token: false });
    broker.clock.advance(121_000);
    expect((await detailOf(broker, 'unrenewable')).json).toMatchObject({
      status: 'failed',
      status_reason: 'needs_reauthorization',
    });
    expect((await credentialsOf(broker, 'unrenewable')).json.error).toBe('connection_not_ready');
  });

  it.each([undefined, null, '', 'soon', 'NaN', true, [60]])('expires_in %j: no end is made up', async (life) => {
    const name = `life-${String(JSON.stringify(life)).replace(/\W/g, '-')}`;
    const { detail } = await answered(name, { expires_in: life, refresh_token: 'rt' });
    expect(detail).toMatchObject({ status: 'completed', expires_at: null });
    expect((await credentialsOf(broker, name)).json.expires_at).toBeNull();
  });

  it.each([0, -60, '0'])('expires_in %j: lapsed at once, never served', async (life) => {
    const name = `lapsed-${String(life).replace(/\W/g, 'm')}-${typeof life}`;
    await answered(name, { expires_in: life });
    const read = await credentialsOf(broker, name);
    expect(read.status).toBe(503);
    expect(read.text).not.toContain('at-of-');
  });

  it.each([
    ['bearer', 'Bearer'],
    [undefined, 'Bearer'],
    ['mac', 'Bearer'],
    ['DPoP', 'DPoP'],
  ])('token_type %j is given as %s', async (given, shown) => {
    const name = `type-${given ?? 'none'}`;
    await answered(name, { token_type: given, expires_in: 3600 });
    expect((await credentialsOf(broker, name)).json.token_type).toBe(shown);
  });

  it.each([
    ['no access token', { access_token: null }],
    ['an access token that is no text', { access_token: 7 }],
    ['an access token that would break its header', { access_token: 'a\r\nb' }],
  ])('%s: nothing is kept', async (what, body) => {
    const { page, detail } = await answered(what.replace(/\W/g, '-'), body);
    expect(page.status).toBe(400);
    expect(detail).toMatchObject({ status: 'failed', status_reason: 'provider_answer_invalid', expires_at: null });
  });
});
