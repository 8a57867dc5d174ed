/** Work on one key. */
export interface Flight<Result> {
  /** Whether it has what it waited for, and works. */
  hasTakenOff(): boolean;
  /** Resolves when it takes off. */
  readonly takenOff: Promise<void>;
  readonly landed: Promise<Result | undefined>;
}

/** Work that callers of one key share within this process, and that can be waited for at the end. */
export interface Flights<Result> {
  /** Joins the flight of the key, or starts one. It says when it takes off. */
  share(key: string, start: (takeOff: () => void) => Promise<Result | undefined>): Flight<Result>;
  isDraining(): boolean;
  /** From now on `isDraining` is true. Resolves when no flight is left. */
  drain(): Promise<void>;
}

export function createFlights<Result>(): Flights<Result> {
  const inFlight = new Map<string, Flight<Result>>();
  let draining = false;
  return {
    share(key, start) {
      const running = inFlight.get(key);
      if (running !== undefined) return running;
      const { promise: takenOff, resolve } = Promise.withResolvers<void>();
      let isOff = false;
      const takeOff = (): void => {
        isOff = true;
        resolve();
      };
      const landed = start(takeOff).finally(() => inFlight.delete(key));
      // Whoever waits hears of it; nobody need be left when it lands.
      landed.catch(() => {});
      const flight = { hasTakenOff: () => isOff, takenOff, landed };
      inFlight.set(key, flight);
      return flight;
    },
    isDraining: () => draining,
    async drain() {
      draining = true;
      await Promise.allSettled([...inFlight.values()].map(({ landed }) => landed));
    },
  };
}
