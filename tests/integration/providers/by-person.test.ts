import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Provider } from '../../../src/domain/provider.ts';
import { catalogue } from '../../../src/providers/catalogue.ts';
import {
  bodyFor,
  connect,
  createConnection,
  credentials,
  decide,
  isAccepted,
  proven,
  type Stage,
  startStage,
} from './support.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage.stop());

const byPerson = proven.filter(({ flows }) => flows.includes('authorization_code'));
const refreshed = byPerson.filter(({ flows }) => flows.includes('refresh_token'));
const named = (providers: readonly Provider[]) => providers.map((provider) => [provider.id, provider] as const);

/** What whoever calls the provider's API needs beside the token. */
const metadata: Readonly<Record<string, Record<string, unknown>>> = {
  dropbox: { account_id: 'dbid:alice-1', uid: '1' },
  hubspot: { hub_id: 4711 },
  notion: { bot_id: '0000-bot', workspace_id: '0000-workspace' },
  quickbooks: { realm_id: '9130000000000000' },
  salesforce: { instance_url: 'https://example.my.salesforce.com' },
  slack: { team: { id: 'T0001', name: 'Example Team' }, bot_user_id: 'U0BOT' },
  'slack-user': { team: { id: 'T0001', name: 'Example Team' }, id: 'alice-1' },
  zoom: { api_url: 'https://api.zoom.us' },
};

const pause = 31_000;

/** Lets the token lapse; where the provider states no end, a refresh is asked for. */
async function lapse(name: string): Promise<string> {
  const { json } = await credentials(stage, name);
  if (json.expires_at === null) {
    stage.broker.clock.advance(pause);
    return '?force_refresh=true';
  }
  stage.broker.clock.advance(Date.parse(json.expires_at) - stage.broker.clock.now() + 1000);
  return '';
}

describe('connecting, as a person allows it', () => {
  test.each(named(byPerson))('gives credentials of %s, and what goes with them', async (id, provider) => {
    await createConnection(stage, bodyFor(stage, provider, `connect-${id}`));
    await connect(stage, `connect-${id}`);
    const first = await credentials(stage, `connect-${id}`);
    expect(first).toMatchObject({ status: 200, json: { method: 'saved_token', metadata: metadata[id] ?? {} } });
    expect(await isAccepted(stage, provider, first.json.access_token)).not.toBe(false);
    const detail = await stage.broker.call('GET', `/api/oauth/connections/connect-${id}`);
    expect(detail.json).toMatchObject({
      status: 'completed',
      missing_scopes: [],
      has_refresh_token: provider.flows.includes('refresh_token'),
    });
  });

  test.each(named(byPerson))('leaves %s not connected when the person refuses', async (id, provider) => {
    await createConnection(stage, bodyFor(stage, provider, `deny-${id}`));
    const calls = stage.tokenCalls(id);
    await fetch(await decide(stage, `deny-${id}`, { decision: 'deny' }));
    const detail = await stage.broker.call('GET', `/api/oauth/connections/deny-${id}`);
    expect(detail.json).toMatchObject({ status: 'failed', status_reason: 'access_denied' });
    expect(stage.tokenCalls(id)).toBe(calls);
  });

  test.each(named(byPerson))('says that %s rejects the client when the secret is wrong', async (id, provider) => {
    await createConnection(stage, bodyFor(stage, provider, `secret-${id}`, { client_secret: 'wrong' }));
    await fetch(await decide(stage, `secret-${id}`));
    const detail = await stage.broker.call('GET', `/api/oauth/connections/secret-${id}`);
    expect(detail.json).toMatchObject({ status: 'failed', status_reason: 'provider_rejected_client' });
  });
});

describe('a token that lapses', () => {
  test.each(named(refreshed))('is refreshed at %s, again and again, as its rotation wants it', async (id, provider) => {
    const name = `refresh-${id}`;
    await createConnection(stage, bodyFor(stage, provider, name));
    await connect(stage, name);
    const seen = new Set([(await credentials(stage, name)).json.access_token]);
    for (let round = 0; round < 3; round += 1) {
      const next = await credentials(stage, name, await lapse(name));
      expect(next, next.text).toMatchObject({ status: 200, json: { method: 'refreshed' } });
      expect(await isAccepted(stage, provider, next.json.access_token)).not.toBe(false);
      seen.add(next.json.access_token);
    }
    expect(seen.size).toBe(4);
    const { has_refresh_token: isKept } = (await stage.broker.call('GET', `/api/oauth/connections/${name}`)).json;
    expect(isKept).toBe(true);
  });

  test.each(named(byPerson.filter((provider) => !refreshed.includes(provider))))(
    'has no end at %s, and nobody is asked again',
    async (id, provider) => {
      await createConnection(stage, bodyFor(stage, provider, `endless-${id}`));
      await connect(stage, `endless-${id}`);
      const first = await credentials(stage, `endless-${id}`);
      stage.broker.clock.advance(pause);
      const later = await credentials(stage, `endless-${id}`);
      expect(first.json.expires_at).toBeNull();
      expect(later.json).toEqual(first.json);
    },
  );
});

describe('a grant that is dead', () => {
  test.each(named(refreshed))('asks %s once and then a person, and can be connected again', async (id, provider) => {
    const name = `dead-${id}`;
    await createConnection(stage, bodyFor(stage, provider, name));
    await connect(stage, name);
    const query = await lapse(name);
    stage.mock.endGrants(id);
    const calls = stage.tokenCalls(id);
    for (let read = 0; read < 2; read += 1) {
      const failed = await credentials(stage, name, query);
      expect(failed, failed.text).toMatchObject({
        status: 503,
        json: { error: 'connection_not_ready', status: 'failed', status_reason: 'needs_reauthorization' },
      });
    }
    expect(stage.tokenCalls(id)).toBe(calls + 1);
    await connect(stage, name);
    expect(await credentials(stage, name)).toMatchObject({ status: 200 });
  });
});

describe('a provider that limits the rate', () => {
  test.each(named(refreshed))(
    '%s is not asked again before it said, and a living token is served',
    async (id, provider) => {
      const name = `limit-${id}`;
      await createConnection(stage, bodyFor(stage, provider, name));
      await connect(stage, name);
      const first = await credentials(stage, name);
      stage.broker.clock.advance(first.json.expires_at === null ? pause : 16_000);
      stage.mock.failNext(id, 'rate_limited');
      const alive = await credentials(stage, name, '?force_refresh=true');
      expect(alive, alive.text).toMatchObject({ status: 200, json: { access_token: first.json.access_token } });

      const calls = stage.tokenCalls(id);
      expect((await credentials(stage, name, '?force_refresh=true')).status).toBe(200);
      expect(stage.tokenCalls(id)).toBe(calls);

      if (first.json.expires_at === null) return;
      stage.broker.clock.advance(Date.parse(first.json.expires_at) - stage.broker.clock.now() + 40_000);
      stage.mock.failNext(id, 'rate_limited');
      const limited = await credentials(stage, name);
      expect(limited).toMatchObject({ status: 503, json: { error: 'provider_unavailable' } });
      expect(Number(limited.headers.get('retry-after'))).toBeGreaterThanOrEqual(2);

      stage.broker.clock.advance(60_000);
      expect(await credentials(stage, name)).toMatchObject({ status: 200, json: { method: 'refreshed' } });
    },
  );
});

describe('disconnecting', () => {
  const revocable = byPerson.filter(({ revocation }) => revocation !== null && !revocation.isShared);

  test.each(named(revocable))('ends the grant at %s', async (id, provider) => {
    await createConnection(stage, bodyFor(stage, provider, `end-${id}`));
    await connect(stage, `end-${id}`);
    const { json } = await credentials(stage, `end-${id}`);
    const ended = await stage.broker.call('POST', `/api/oauth/connections/end-${id}/disconnect`, { body: {} });
    expect(ended, ended.text).toMatchObject({ status: 200, json: { status: 'not_connected', revoked: true } });
    expect(await isAccepted(stage, provider, json.access_token)).not.toBe(true);
    expect(await credentials(stage, `end-${id}`)).toMatchObject({ status: 503, json: { status: 'not_connected' } });
  });

  test.each(named(byPerson.filter((provider) => !revocable.includes(provider))))(
    'drops the tokens of %s and does not claim that they are revoked',
    async (id, provider) => {
      await createConnection(stage, bodyFor(stage, provider, `drop-${id}`));
      await connect(stage, `drop-${id}`);
      const ended = await stage.broker.call('POST', `/api/oauth/connections/drop-${id}/disconnect`, { body: {} });
      expect(ended.json).toMatchObject({ status: 'not_connected', revoked: false });
      expect(await credentials(stage, `drop-${id}`)).toMatchObject({ status: 503, json: { status: 'not_connected' } });
    },
  );
});

describe('people', () => {
  const google = byPerson.find(({ id }) => id === 'google') as Provider;

  test('may grant fewer scopes than were asked for, which shows', async () => {
    await createConnection(stage, bodyFor(stage, google, 'fewer', { scopes: 'openid email profile' }));
    await connect(stage, 'fewer', { granted: 'openid email' });
    const detail = await stage.broker.call('GET', '/api/oauth/connections/fewer');
    expect(detail.json.missing_scopes).toEqual(['profile']);
  });

  test('are taken to have granted scopes that come back under longer names', async () => {
    await createConnection(stage, bodyFor(stage, google, 'longer', { scopes: 'openid email profile' }));
    await connect(stage, 'longer');
    const { json } = await stage.broker.call('GET', '/api/oauth/connections/longer');
    expect(json.granted_scopes).toContain('https://www.googleapis.com/auth/userinfo.email');
    expect(json.missing_scopes).toEqual([]);
    expect(await credentials(stage, 'longer', '?required_scopes=email,profile')).toMatchObject({ status: 200 });
    const lacking = await credentials(stage, 'longer', '?required_scopes=email,drive');
    expect(lacking.json).toMatchObject({ error: 'scopes_missing', missing_scopes: ['drive'] });
  });

  test('cannot hand a host to whoever reads the credentials by editing the redirect', async () => {
    for (const [id, edited] of [
      ['shopify', { shop: 'evil.example' }],
      ['zoho', { location: 'evil', 'accounts-server': 'https://evil.example' }],
    ] as const) {
      const provider = catalogue.find((entry) => entry.id === id) as Provider;
      await createConnection(stage, bodyFor(stage, provider, `edited-${id}`));
      const redirect = await decide(stage, `edited-${id}`);
      for (const [name, value] of Object.entries(edited)) redirect.searchParams.set(name, value);
      expect((await fetch(redirect)).status).toBe(200);
      const { json, text } = await credentials(stage, `edited-${id}`);
      expect(json.access_token).toBeTruthy();
      expect(text).not.toContain('evil');
    }
  });

  test('cannot put another account in place of the first by mistake', async () => {
    await createConnection(stage, bodyFor(stage, google, 'other'));
    await connect(stage, 'other');
    await fetch(await decide(stage, 'other', { person: 2 }));
    const detail = await stage.broker.call('GET', '/api/oauth/connections/other');
    expect(detail.json).toMatchObject({ status: 'completed' });
    await connect(stage, 'other', { person: 1 });
  });
});
