export interface FaultyAnswer {
  readonly status: number;
  readonly retryAfterSeconds?: number;
  /** How many requests get it. Default 1. */
  readonly times?: number;
  /** Which requests count. Default: all. */
  readonly matches?: (request: { readonly method: string; readonly path: string }) => boolean;
}

/** Misbehaviour on demand, for tests. */
export interface VaultFaults {
  /** Milliseconds that every request waits. */
  latencyMs: number;
  /** The next requests get this status, past the 401 challenge, and change nothing. */
  respond(answer: FaultyAnswer): void;
  /** Every connection is broken without an answer, until `clear`. */
  outage(): void;
  clear(): void;
}

export interface PlannedFaults extends VaultFaults {
  isBroken(): boolean;
  /** The answer planned for this request, used up by asking. */
  take(request: { readonly method: string; readonly path: string }): FaultyAnswer | null;
}

export function createFaults(): PlannedFaults {
  let broken = false;
  let planned: { readonly answer: FaultyAnswer; left: number }[] = [];
  const faults: PlannedFaults = {
    latencyMs: 0,
    respond: (answer) => void planned.push({ answer, left: answer.times ?? 1 }),
    outage: () => {
      broken = true;
    },
    clear: () => {
      broken = false;
      planned = [];
      faults.latencyMs = 0;
    },
    isBroken: () => broken,
    take: (request) => {
      const next = planned.find(({ answer, left }) => left > 0 && (answer.matches?.(request) ?? true));
      if (!next) return null;
      next.left -= 1;
      return next.answer;
    },
  };
  return faults;
}
