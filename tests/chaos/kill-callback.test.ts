import { beforeAll, expect, it } from 'vitest';
import { createUserAgent } from '../support/authorization-server.ts';
import { expectAlive, expectServed } from './support/audit.ts';
import type { ChaosHost } from './support/chaos-host.ts';
import { quietSchedule } from './support/due.ts';
import { type ChaosGrant, createConnection, credentials, refresh } from './support/grants.ts';
import { outcomeTable, type PointOutcome } from './support/outcome-table.ts';
import { providerClasses } from './support/provider.ts';
import type { Match } from './support/recording-proxy.ts';
import { both, concerns } from './support/requests.ts';
import { sized } from './support/size.ts';
import { startLater } from './support/tables-view.ts';
import { useWorld, type World } from './support/world.ts';

const trials = sized({ short: 1, full: 6, long: 20 });
/** Longer than a callback may take. */
const interruptedMs = 3 * 60_000;

const getWorld = useWorld({ providers: providerClasses, environment: quietSchedule() });
let survivor: ChaosHost;

beforeAll(async () => {
  survivor = await getWorld().startHost();
});

interface SignIn {
  readonly grant: ChaosGrant;
  readonly callback: URL;
  readonly hadGrant: boolean;
}

/** Pages of sign-in take no name with a slash: the account is another one, which is allowed. */
const loginOf = ({ connection, userId }: ChaosGrant) => `${userId ?? 'owner'}-of-${connection}`;

async function authorize(host: ChaosHost, grant: ChaosGrant): Promise<URL> {
  const started = await host.call('POST', `/api/oauth/connections/${grant.connection}/authorize`, {
    body: { user_id: grant.userId, allow_account_change: true },
  });
  expect(started, started.text).toMatchObject({ status: 200 });
  return createUserAgent().browse(started.json.authorization_url, { login: loginOf(grant) });
}

async function finish(host: ChaosHost, { pathname, search }: URL): Promise<number | undefined> {
  const answer = await fetch(new URL(`${pathname}${search}`, host.url)).catch(() => undefined);
  await answer?.body?.cancel();
  return answer?.status;
}

/** Of each class: grants that are new, and grants that replace one. */
async function signIns(world: World): Promise<SignIn[]> {
  const made: SignIn[] = [];
  for (let index = 0; index < trials; index += 1) {
    for (const provider of world.providers()) {
      for (const hadGrant of [true, false]) {
        const connection = `signed-${provider.kind}-${index}-${hadGrant}`;
        const userId = index % 2 === 0 ? null : 'alice';
        const account = `ORG1/${connection}/${userId ?? ''}`;
        if (hadGrant) await world.grants.connect(survivor, { provider, connection, userId });
        else await createConnection(survivor, provider, connection, 'ORG1');
        const grant = { org: 'ORG1', connection, userId, provider, account };
        made.push({ grant, hadGrant, callback: await authorize(survivor, grant) });
      }
    }
  }
  return made;
}

const writesTokens: Match = ({ method, path, body }) =>
  method === 'PATCH' && /\/OAuth(Connections|UserGrants)\(/.test(path) && body.includes('"sealed_0"');

async function statusOf(host: ChaosHost, grant: ChaosGrant) {
  const path = `/api/oauth/connections/${grant.connection}`;
  if (grant.userId === null) return (await host.call('GET', path)).json;
  return (await host.call('GET', `${path}/grants`)).json.grants[0];
}

it('K10: a callback that dies between exchange and row leaves the old grant as it was, and says so where there was none', async () => {
  const world = getWorld();
  const victim = await world.startHost({ PUBLIC_BASE_URL: survivor.url });
  const all = await signIns(world);
  const hold = world.tables.hold(both(writesTokens, concerns(all.map(({ grant }) => grant.connection))), {
    at: 'request',
    times: all.length,
  });
  const answers = Promise.all(all.map(({ callback }) => finish(victim, callback)));
  await hold.waiting(all.length);
  await victim.kill();
  hold.abandon();
  expect(await answers).toEqual(Array(all.length).fill(undefined));

  for (const { grant, callback, hadGrant } of all) {
    expect(await finish(survivor, callback), `${grant.account}: the callback is spent`).toBe(400);
    await expectUnchanged(survivor, grant, hadGrant, hadGrant ? 'completed' : 'testing');
    if (hadGrant) await expectServed(grant, await credentials(survivor, grant));
  }
  console.table(outcomeTable(await Promise.all(all.map(outcomeOf))));
  const half = Math.ceil(all.length / 2);
  const shuffled = world.random.shuffled(all);
  for (const { grant } of shuffled.slice(0, half)) await expectAuthorizable(survivor, grant);

  const later = await startLater(world, interruptedMs, { PUBLIC_BASE_URL: survivor.url });
  for (const { grant, hadGrant } of shuffled.slice(half)) {
    await expectUnchanged(later, grant, false, hadGrant ? 'completed' : 'failed');
    if (hadGrant) await expectAlive(later, [grant]);
    else await expectInterrupted(later, grant);
    await expectAuthorizable(later, grant);
  }
});

async function outcomeOf({ grant, hadGrant }: SignIn): Promise<PointOutcome> {
  const point = `K10 after the exchange, before the row; ${hadGrant ? 'there was a grant' : 'there was none'}`;
  const { status } = await credentials(survivor, grant);
  const outcome = hadGrant ? (status === 200 ? 'kept' : 'lost') : status === 503 ? 'not begun' : 'odd';
  return { point, kind: grant.provider.kind, outcome };
}

async function expectUnchanged(host: ChaosHost, grant: ChaosGrant, isUnderWay: boolean, status: string) {
  const pending = isUnderWay || status === 'testing';
  expect(await statusOf(host, grant), grant.account).toMatchObject({ status, pending_authorization: pending });
}

async function expectInterrupted(host: ChaosHost, grant: ChaosGrant): Promise<void> {
  const told = { status: 503, json: { error: 'connection_not_ready', status_reason: 'callback_interrupted' } };
  expect(await credentials(host, grant), grant.account).toMatchObject(told);
  expect(await statusOf(host, grant)).toMatchObject({ status_reason: 'callback_interrupted' });
}

/** A new authorization is completed, and its token is served and refreshed. */
async function expectAuthorizable(host: ChaosHost, grant: ChaosGrant): Promise<void> {
  expect(await finish(host, await authorize(host, grant)), grant.account).toBe(200);
  const refreshed = await refresh(host, grant);
  expect(refreshed, grant.account).toMatchObject({ status: 200, json: { refreshed: true } });
  const served = await credentials(host, grant);
  expect(served, grant.account).toMatchObject({ status: 200 });
  const token = await grant.provider.server.provider.AccessToken.find(served.json.access_token);
  expect(token?.accountId).toBe(loginOf(grant));
}
