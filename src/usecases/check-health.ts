/** Something outside that the broker needs: resolves when it answers, rejects when it does not. */
export type Probe = () => Promise<unknown>;

export interface Health {
  readonly isReady: boolean;
  /** The names of what does not answer: for the log, not for the public. */
  readonly failing: readonly string[];
}

/** Tries everything the broker needs, side by side. Never throws. */
export async function checkHealth(probes: Readonly<Record<string, Probe>>): Promise<Health> {
  const results = await Promise.all(
    Object.entries(probes).map(async ([name, probe]) => {
      const isWell = await probe().then(
        () => true,
        () => false,
      );
      return isWell ? [] : [name];
    }),
  );
  const failing = results.flat();
  return { isReady: failing.length === 0, failing };
}
