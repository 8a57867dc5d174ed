import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { begin, createConnection, detailOf, land, signIn, withParameters } from '../functions/support/authorizing.ts';
import { type AuthorizationServer, startAuthorizationServer } from '../support/authorization-server.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';

let broker: TestBroker;
let attacker: AuthorizationServer;
beforeAll(async () => {
  [broker, attacker] = await Promise.all([startTestBroker(), startAuthorizationServer()]);
});
afterAll(async () => {
  await broker.stop();
  await attacker.stop();
});

/** A connection to the honest server, and one to the attacker's, who has told the organisation to set it up. */
async function createBoth(name: string, withIssuer: boolean) {
  await createConnection(broker, `${name}-honest`, withIssuer ? {} : { issuer: null });
  await createConnection(broker, `${name}-evil`, {
    authorization_url: attacker.endpoints.authorization,
    token_url: attacker.endpoints.token,
    revocation_url: attacker.endpoints.revocation,
    userinfo_url: attacker.endpoints.userinfo,
    issuer: withIssuer ? attacker.issuer : null,
  });
}

/** The person begins at the attacker, who sends the browser on to the honest server with the state of his own. */
async function mixUp(name: string): Promise<URL> {
  const atAttacker = await begin(broker, `${name}-evil`);
  const atHonest = await begin(broker, `${name}-honest`);
  return signIn({
    ...atHonest,
    authorization_url: withParameters(atHonest.authorization_url, { state: atAttacker.state }).href,
  });
}

describe('S-26 an honest server’s code beside the state of an attacker’s', () => {
  it.each([true, false])(
    'is refused at the callback of the honest connection; issuers known: %s',
    async (withIssuer) => {
      const name = `own-${withIssuer}`;
      await createBoth(name, withIssuer);
      const redirect = await mixUp(name);
      const calls = [broker.server.tokens.count(), attacker.tokens.count()];
      expect((await land(redirect)).status).toBe(400);
      expect([broker.server.tokens.count(), attacker.tokens.count()]).toEqual(calls);
      expect((await detailOf(broker, `${name}-honest`)).json.status).toBe('waiting_callback');
    },
  );

  it('is refused at the callback of the attacker’s connection, whose issuer is another', async () => {
    await createBoth('moved', true);
    const redirect = new URL((await mixUp('moved')).href.replace('/callback/moved-honest', '/callback/moved-evil'));
    const calls = attacker.tokens.count();
    const page = await land(redirect);
    expect(page.status).toBe(400);
    expect(page.html).toContain('another authorization server');
    expect(attacker.tokens.count()).toBe(calls);
  });

  it('reaches only the honest server when the state is right', async () => {
    await createBoth('right', true);
    const redirect = await signIn(await begin(broker, 'right-honest'));
    const calls = attacker.tokens.count();
    expect((await land(redirect)).status).toBe(200);
    expect(attacker.tokens.count()).toBe(calls);
  });
});

describe('S-25 a callback that carries another server’s iss', () => {
  it.each(['code', 'error'])('with a %s is refused, and no code is sent to anybody', async (kind) => {
    await createBoth(`iss-${kind}`, true);
    const redirect = await signIn(await begin(broker, `iss-${kind}-honest`), { deny: kind === 'error' });
    const calls = [broker.server.tokens.count(), attacker.tokens.count()];
    const page = await land(withParameters(redirect, { iss: attacker.issuer }));
    expect(page.status).toBe(400);
    expect([broker.server.tokens.count(), attacker.tokens.count()]).toEqual(calls);
    expect((await detailOf(broker, `iss-${kind}-honest`)).json.status_reason).toBe('authorization_failed');
  });
});
