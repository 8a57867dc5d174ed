/** Work that must come to its end before this process goes. */
export interface InFlight {
  track<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Resolves when nothing is tracked any more. */
  idle(): Promise<void>;
}

export function createInFlight(): InFlight {
  const works = new Set<Promise<unknown>>();
  return {
    track(work) {
      const running = work().finally(() => works.delete(running));
      works.add(running);
      return running;
    },
    async idle() {
      while (works.size > 0) await Promise.allSettled(works);
    },
  };
}
