/** Work that callers of one key share within this process, and that can be waited for at the end. */
export interface Flights<Result> {
  /** Joins the flight of the key, or starts one. */
  share(key: string, start: () => Promise<Result | undefined>): Promise<Result | undefined>;
  isDraining(): boolean;
  /** From now on `isDraining` is true. Resolves when no flight is left. */
  drain(): Promise<void>;
}

export function createFlights<Result>(): Flights<Result> {
  const inFlight = new Map<string, Promise<Result | undefined>>();
  let draining = false;
  return {
    share(key, start) {
      const running = inFlight.get(key);
      if (running !== undefined) return running;
      const flight = start().finally(() => inFlight.delete(key));
      inFlight.set(key, flight);
      return flight;
    },
    isDraining: () => draining,
    async drain() {
      draining = true;
      await Promise.allSettled(inFlight.values());
    },
  };
}
