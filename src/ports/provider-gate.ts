import type { OrgId } from '../domain/ids.ts';

/** An authorization server, and for whom it is called. */
export interface ProviderKey {
  readonly org: OrgId;
  /** As `serverOf` a grant has it. */
  readonly server: string;
}

/**
 * Keeps a provider that is down from costing the others anything, within this process: at most so many calls at once of
 * one organisation to one provider, and none but a probe every 30 s once all of them fail. Where several organisations
 * fail, no other calls it either; the failures of one alone stop nobody else.
 */
export interface ProviderGate {
  /** Throws `provider_paused` while calls to this provider are stopped. Costs nothing. */
  assertOpen(provider: ProviderKey): void;
  /**
   * Runs `work` when there is room for one more call to this provider; its calls go through `attempt`. Throws
   * `provider_paused` when too many wait already: it was not run then.
   */
  withRoom<Result>(provider: ProviderKey, work: () => Promise<Result>): Promise<Result>;
  /**
   * Runs `work` that nobody waits for, and that asks for room itself, when not too much of that kind is under way: it
   * gets three quarters of the room, so that whoever waits finds some, and never stands in line before them.
   */
  inBackground<Result>(provider: ProviderKey, work: () => Promise<Result>): Promise<Result>;
  /**
   * Makes a call for which there is room. Failures that say that the provider is down count against it; others do not.
   * Throws `provider_paused` when calls are stopped: the call was not made then.
   */
  attempt<Result>(provider: ProviderKey, call: () => Promise<Result>): Promise<Result>;
  /** Both at once: makes a call when there is room for it. Throws as they do. */
  run<Result>(provider: ProviderKey, call: () => Promise<Result>): Promise<Result>;
}
