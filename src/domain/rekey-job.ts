/** What a rekey job walks over, in turn: connections' own grants, users' grants, revocations that wait. */
export const rekeyParts = ['own', 'users', 'revocations'] as const;
export type RekeyPart = (typeof rekeyParts)[number];

/** Where a rekey job is in its walk over everything that stays sealed for longer than minutes. */
export interface RekeyPlace {
  readonly part: RekeyPart;
  readonly cursor: string | null;
}

export interface RekeyFigures {
  readonly sealedAnew: number;
  /** Rows that the first key had sealed already, those of a step that was interrupted among them. */
  readonly alreadyCurrent: number;
  /** Rows that no key opens, or that make no sense. They are left as they are. */
  readonly unreadable: number;
  /** How many rows each key seals, as the job left them. */
  readonly keys: Readonly<Record<string, number>>;
}

/** A rekey job as its checkpoint has it. Times are milliseconds since the epoch. */
export interface RekeyJob extends RekeyFigures {
  readonly id: string;
  readonly startedAt: number;
  /** When its checkpoint was written last. */
  readonly updatedAt: number;
  readonly finishedAt: number | null;
  /** The key that seals. */
  readonly keyId: string;
  /** The step that comes next: only the message that names it is worked on. */
  readonly step: number;
  readonly place: RekeyPlace;
}

export const noRekeyFigures: RekeyFigures = { sealedAnew: 0, alreadyCurrent: 0, unreadable: 0, keys: {} };

export function sumRekeyFigures(one: RekeyFigures, other: RekeyFigures): RekeyFigures {
  const ids = [...new Set([...Object.keys(one.keys), ...Object.keys(other.keys)])];
  return {
    sealedAnew: one.sealedAnew + other.sealedAnew,
    alreadyCurrent: one.alreadyCurrent + other.alreadyCurrent,
    unreadable: one.unreadable + other.unreadable,
    keys: Object.fromEntries(ids.map((id) => [id, (one.keys[id] ?? 0) + (other.keys[id] ?? 0)])),
  };
}

/**
 * Whether a key other than the one that seals may be needed still. Before the job has ended nobody can say, and of rows
 * that cannot be read nobody can say either.
 */
export function isOldKeyInUse({ finishedAt, unreadable, keys, keyId }: RekeyJob): boolean {
  return finishedAt === null || unreadable > 0 || Object.keys(keys).some((id) => id !== keyId);
}
