import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Role } from '../../src/domain/caller.ts';
import { routeTable } from '../../src/functions/route-table.ts';
import { rowsOf } from '../support/connections.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { expectVerified, recordedBy } from './support/audit-records.ts';
import {
  begin,
  connect,
  createConnection,
  credentialsOf,
  land,
  signIn,
  withParameters,
} from './support/authorizing.ts';
import { bodyOf, pathOf } from './support/every-route.ts';
import { answerNext, createGranted, failNext } from './support/granted.ts';

const roles: readonly Role[] = ['admin', 'operator', 'reader', 'auditor'];

let broker: TestBroker;
let keys: Readonly<Record<string, string>>;
beforeAll(async () => {
  broker = await startTestBroker({ settings: { AUDIT_CREDENTIAL_READS: 'every', RATE_LIMIT_PER_MINUTE: '0' } });
  const made = await Promise.all(roles.map(async (role) => [role, await broker.createKey(['ORG1'], [role])] as const));
  keys = Object.fromEntries(made);
});
afterAll(() => broker.stop());

describe.each(routeTable.map((route) => [route.name, route] as const))('%s', (_name, route) => {
  const ask = (call: { key?: string | null; org?: string | null; headers?: Record<string, string> } = {}) =>
    broker.call(route.method, pathOf(route.path), { body: bodyOf(route), ...call });
  const isPublic = route.permission.kind === 'public';
  const anonymousAction = route.audit === 'none' ? 'access.refused' : route.audit;

  it('leaves one record of each call, or none where there is nothing to record (S-68)', async () => {
    broker.clock.advance(61_000);
    const answers: { status: number; error: string | undefined }[] = [];
    const correlation = `call-${randomBytes(6).toString('hex')}`;
    const records = await recordedBy(broker, async () => {
      const { status, json } = await ask({ headers: { 'x-correlation-id': correlation } });
      answers.push({ status, error: json?.error });
    });
    const ours = records.filter(({ correlationId }) => correlationId === correlation);
    const [answer] = answers;
    if (route.audit === 'none') {
      const isRefused = answer?.status === 403;
      expect(ours.map(({ action }) => action)).toEqual(isRefused ? ['access.refused'] : []);
      return;
    }
    expect(ours).toHaveLength(1);
    expect(ours[0]).toMatchObject({
      org: isPublic ? '!' : 'ORG1',
      action: route.audit,
      actor: isPublic ? 'anonymous' : 'api_key bootstrap',
      count: 1,
      address: '127.0.0.1',
    });
    const isRefused = (answer?.status ?? 0) >= 400 && !route.isPage;
    if (!route.isPage) expect(ours[0]?.outcome).toBe(isRefused ? answer?.error : 'success');
  });

  it.runIf(!isPublic)('leaves one record of a call without credentials', async () => {
    broker.clock.advance(61_000);
    const records = await recordedBy(broker, () => ask({ key: null }));
    expect(records.filter(({ count, detail }) => count === 1 && !('counted_since' in detail))).toMatchObject([
      { org: '!', action: anonymousAction, outcome: 'unauthenticated', actor: 'anonymous', address: '127.0.0.1' },
    ]);
  });

  it.runIf(route.permission.kind === 'organisation')(
    'leaves one record of each role and organisation that is refused',
    async () => {
      const allowed = route.permission.kind === 'organisation' ? route.permission.roles : [];
      for (const role of roles) {
        const key = keys[role] ?? null;
        const elsewhere = await recordedBy(broker, () => ask({ key, org: 'ORG2' }));
        expect(elsewhere).toMatchObject([
          // Where the caller belongs: ORG2 must not be filled by others.
          {
            org: 'ORG1',
            action: anonymousAction,
            outcome: 'organization_forbidden',
            detail: { requested_org: 'ORG2' },
          },
        ]);
        if (allowed.includes(role)) continue;
        const refused = await recordedBy(broker, () => ask({ key }));
        expect(refused).toMatchObject([{ org: 'ORG1', action: anonymousAction, outcome: 'role_required' }]);
        expect(refused[0]?.actor).toBe(`api_key ${key?.split('_')[1]}`);
      }
    },
  );
});

describe('a flood of strangers', () => {
  it('writes the first of a minute, and a count at its end', async () => {
    broker.clock.advance(61_000);
    const first = await recordedBy(broker, async () => {
      for (let times = 0; times < 30; times += 1) await broker.call('GET', '/api/oauth/me', { key: 'garbage' });
    });
    expect(first.filter(({ count }) => count === 1)).toHaveLength(1);
    broker.clock.advance(61_000);
    const then = await recordedBy(broker, async () => {
      await broker.call('GET', '/api/oauth/me', { key: 'garbage' });
      await broker.composition.broker.audit.drain();
    });
    expect(then.map(({ count, correlationId }) => [count, correlationId !== ''])).toContainEqual([29, false]);
  });

  it('with made-up states at the callback writes the first of a minute', async () => {
    broker.clock.advance(61_000);
    const records = await recordedBy(broker, async () => {
      for (let times = 0; times < 20; times += 1) {
        await broker.call('GET', `/api/oauth/callback/any-${times}?state=s${times}&code=c`, { key: null, org: null });
      }
    });
    expect(records.filter(({ outcome }) => outcome === 'transaction_invalid')).toMatchObject([{ org: '!', count: 1 }]);
  });
});

describe('what is known only inside', () => {
  it('a caller that was made: its id, organisations and roles', async () => {
    let key = '';
    const records = await recordedBy(broker, async () => {
      key = await broker.createKey(['ORG1', 'ORG2'], ['reader', 'auditor']);
    });
    expect(records).toMatchObject([
      {
        org: 'GLOBAL',
        action: 'caller.create',
        detail: { made: key.split('_')[1], made_for: 'ORG1 ORG2', made_roles: 'reader auditor' },
      },
    ]);
  });

  it('that credentials came through a connection of GLOBAL', async () => {
    await createGranted(broker, 'global', {}, { org: 'GLOBAL' });
    const records = await recordedBy(broker, () => credentialsOf(broker, 'global'));
    expect(records).toMatchObject([{ org: 'ORG1', connection: 'global', detail: { connection_org: 'GLOBAL' } }]);
  });

  const finishes = (records: readonly { action: string }[]) =>
    records.filter(({ action }) => action === 'authorization.finish');

  it('an authorization that was finished: whose it is, and who began it', async () => {
    await createConnection(broker, 'finished');
    const records = await recordedBy(broker, () => connect(broker, 'finished', { body: { user_id: 'ann' } }));
    expect(records.map(({ action }) => action)).toEqual(['authorization.start', 'authorization.finish']);
    expect(finishes(records)).toMatchObject([
      {
        org: 'ORG1',
        connection: 'finished',
        userId: 'ann',
        outcome: 'success',
        actor: 'anonymous',
        detail: { begun_by: 'bootstrap', browser_bound: false },
      },
    ]);
  });

  it('a connect page that was opened, and a callback in another browser (S-27)', async () => {
    await createConnection(broker, 'elsewhere');
    const started = await begin(broker, 'elsewhere');
    const opened = await recordedBy(broker, () => land(started.connect_url));
    expect(opened).toMatchObject([
      { org: 'ORG1', action: 'authorization.open', connection: 'elsewhere', outcome: 'success' },
    ]);
    const redirect = await signIn(started);
    const refused = await recordedBy(broker, () => land(redirect));
    expect(refused).toMatchObject([
      { org: 'ORG1', connection: 'elsewhere', outcome: 'callback_rejected', detail: { browser_bound: true } },
    ]);
  });

  it('an authorization that the provider refused, and one with another issuer', async () => {
    await createConnection(broker, 'denied');
    const redirect = await signIn(await begin(broker, 'denied'));
    const changed = withParameters(redirect, { code: null, error: 'access_denied' });
    expect(finishes(await recordedBy(broker, () => land(changed)))).toMatchObject([
      { connection: 'denied', outcome: 'access_denied', detail: { code: 'callback_rejected' } },
    ]);
    const again = await signIn(await begin(broker, 'denied'));
    const elsewhere = withParameters(again, { iss: 'https://elsewhere.example.com' });
    expect(finishes(await recordedBy(broker, () => land(elsewhere)))).toMatchObject([
      { outcome: 'authorization_failed', detail: { iss: 'https://elsewhere.example.com' } },
    ]);
  });

  it('another account than before', async () => {
    await createConnection(broker, 'account');
    await connect(broker, 'account', { login: 'first' });
    const redirect = await signIn(await begin(broker, 'account'), { login: 'second' });
    expect(finishes(await recordedBy(broker, () => land(redirect)))).toMatchObject([{ outcome: 'account_changed' }]);
    const allowed = await recordedBy(broker, () =>
      connect(broker, 'account', { login: 'third', body: { allow_account_change: true } }),
    );
    expect(finishes(allowed)).toMatchObject([{ outcome: 'success', detail: { account_changed: true } }]);
  });

  it('refreshes, those that fail, and a grant that died, by the broker itself', async () => {
    await createGranted(broker, 'life');
    const refreshNow = () => broker.call('POST', '/api/oauth/connections/life/refresh', { body: {} });
    answerNext(broker);
    expect(await recordedBy(broker, refreshNow)).toMatchObject([
      { action: 'grant.refresh', actor: 'system system', connection: 'life', outcome: 'success' },
      { action: 'connection.refresh', actor: 'api_key bootstrap', outcome: 'success' },
    ]);
    failNext(broker, 503, 'temporarily_unavailable');
    expect(await recordedBy(broker, refreshNow)).toMatchObject([
      { action: 'grant.refresh_fail', outcome: 'provider_unavailable', detail: { is_dead: false } },
      { action: 'connection.refresh', outcome: 'provider_unavailable' },
    ]);
    failNext(broker, 400, 'invalid_grant');
    expect((await recordedBy(broker, refreshNow))[0]).toMatchObject({
      action: 'grant.refresh_fail',
      outcome: 'needs_reauthorization',
      detail: { is_dead: true },
    });
  });
});

it('holds nothing secret, and verifies (S-57, S-68)', async () => {
  const clientSecret = `cs-${randomBytes(12).toString('hex')}`;
  const tokens = await createGranted(broker, 'canary', {}, {}, { client_secret: clientSecret });
  const imported = { access_token: `imported-${randomBytes(12).toString('hex')}`, refresh_token: 'imported-refresh-1' };
  await broker.call('POST', '/api/oauth/connections/canary/tokens', { body: imported });
  await credentialsOf(broker, 'canary');
  await broker.call('GET', '/api/oauth/me', { key: `bwl_${'a'.repeat(32)}_${'Z'.repeat(43)}` });
  await createConnection(broker, 'canary-link');
  const started = await begin(broker, 'canary-link');
  const redirect = await signIn(started);
  await land(redirect);
  await broker.composition.broker.drain();
  const secrets = [
    clientSecret,
    tokens.access_token,
    tokens.refresh_token,
    imported.access_token,
    imported.refresh_token,
    started.state,
    started.connect_url.split('/').at(-1) ?? '',
    redirect.searchParams.get('code') ?? '',
    broker.adminKey.slice(-43),
    'Z'.repeat(43),
    ...Object.values(keys).map((key) => key.slice(-43)),
  ];
  const text = JSON.stringify(await rowsOf(broker, 'OAuthAudit'));
  expect(text).toContain('canary');
  for (const secret of secrets) {
    expect(secret.length).toBeGreaterThan(8);
    expect(text).not.toContain(secret);
  }
  await expectVerified(broker);
});
