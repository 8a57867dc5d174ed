import { hashOfToken } from '../../support/authorization-server.ts';
import { concernsEntryOf } from './due-index.ts';
import type { ChaosGrant } from './grants.ts';
import type { Hold } from './hold.ts';
import type { HoldOptions, Match } from './recording-proxy.ts';
import { both, concerns, isClaim, isCommit, isDueInsert, isDueRemoval, isRefresh } from './requests.ts';
import type { World } from './world.ts';

/** A moment of a refresh at which it can be stopped from outside. */
export interface RefreshPoint {
  readonly name: 'K0' | 'K1' | 'K2' | 'K3' | 'K4' | 'K5' | 'K6' | 'K7';
  readonly what: string;
  readonly where: 'tables' | 'index' | 'provider';
  readonly matches: Match;
  readonly at: HoldOptions['at'];
}

/** The kill points, as far as one refresh goes. */
export const refreshPoints: readonly RefreshPoint[] = [
  { name: 'K0', what: 'before the claim is forwarded', where: 'tables', matches: isClaim, at: 'request' },
  { name: 'K1', what: 'claim applied, reply withheld', where: 'tables', matches: isClaim, at: 'answer' },
  { name: 'K2', what: 'token request not forwarded', where: 'provider', matches: isRefresh, at: 'request' },
  { name: 'K3', what: 'provider answered, reply withheld', where: 'provider', matches: isRefresh, at: 'answer' },
  { name: 'K4', what: 'reply delivered, commit held', where: 'tables', matches: isCommit, at: 'request' },
  { name: 'K5', what: 'commit applied, reply withheld', where: 'tables', matches: isCommit, at: 'answer' },
  { name: 'K6', what: 'commit done, index insert held', where: 'index', matches: isDueInsert, at: 'request' },
  { name: 'K7', what: 'new index row in, old one not deleted', where: 'index', matches: isDueRemoval, at: 'request' },
];

/** Refreshes that stand still at a point. */
export interface StoppedRefreshes {
  /** Resolves when all of them have come to the point. */
  reached(): Promise<void>;
  /** Lets them go on. */
  release(): void;
  /** Breaks their connections. */
  abandon(): void;
}

/** Stops the next refresh of each grant at a point. */
export function stopAt(world: World, point: RefreshPoint, grants: readonly ChaosGrant[]): StoppedRefreshes {
  const { matches, at } = point;
  const holds = point.where === 'provider' ? atProviders() : [atTables()];

  function atTables() {
    const isRow = point.where === 'tables';
    const ours = isRow ? concerns(grants.map(({ connection }) => connection)) : concernsEntryOf(grants);
    const times = grants.length;
    return { hold: world.tables.hold(both(matches, ours), { at, times }), times };
  }

  function atProviders(): { readonly hold: Hold; readonly times: number }[] {
    const providers = [...new Set(grants.map(({ provider }) => provider))];
    return providers.map((provider) => {
      const times = grants.filter((grant) => grant.provider === provider).length;
      return { hold: provider.proxy.hold(both(matches, submits(grants)), { at, times }), times };
    });
  }

  return {
    reached: async () => {
      await Promise.all(holds.map(({ hold, times }) => hold.waiting(times)));
      world.history.note('test', 'reached', { point: point.name });
    },
    release: () => {
      for (const { hold } of holds) hold.release();
    },
    abandon: () => {
      for (const { hold } of holds) hold.abandon();
    },
  };
}

/** Whether a request to the provider carries the newest refresh token of one of these grants. */
export function submits(grants: readonly ChaosGrant[]): Match {
  const newest = new Set(grants.map(({ provider, account }) => provider.ledger.newestOf(account)));
  return ({ body }) => newest.has(hashOfToken(new URLSearchParams(body).get('refresh_token') ?? ''));
}
