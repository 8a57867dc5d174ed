/**
 * Keeps a provider that is down from costing the others anything, within this process: at most so many calls at once
 * to one provider, and none but a probe every 30 s once all of them fail.
 */
export interface ProviderGate {
  /** Throws `provider_paused` while calls to this provider are stopped. Costs nothing. */
  assertOpen(provider: string): void;
  /**
   * Runs `work` when there is room for one more call to this provider; its calls go through `attempt`. Throws
   * `provider_paused` when too many wait already: it was not run then.
   */
  withRoom<Result>(provider: string, work: () => Promise<Result>): Promise<Result>;
  /**
   * Makes a call for which there is room. Failures that say that the provider is down count against it; others do not.
   * Throws `provider_paused` when calls are stopped: the call was not made then.
   */
  attempt<Result>(provider: string, call: () => Promise<Result>): Promise<Result>;
  /**
   * Both at once: makes a call when there is room for it. Failures that say that the provider is down count against it; others do
   * not. Throws `provider_paused` when calls are stopped meanwhile, or too many wait already: the call was not
   * made then.
   */
  run<Result>(provider: string, call: () => Promise<Result>): Promise<Result>;
}
