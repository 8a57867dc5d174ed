/** One figure of the benchmark table: always a ratio or a count within one run, never a bare time. */
export interface Measure {
  readonly name: string;
  readonly figure: string;
  readonly aim: string;
  readonly isMet: boolean;
  /** What holds it back, or how it was taken. */
  readonly note: string;
}

export function ratio(value: number): string {
  return value.toFixed(2);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
