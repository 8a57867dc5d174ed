/**
 * How much is done. `short` fits in with the other suites; `full` is what `npm run test:chaos` runs by default; `long`
 * is each invariant in full, on a machine of its own.
 */
const sizes = ['short', 'full', 'long'] as const;
export type Size = (typeof sizes)[number];

export const size: Size = sizeOf(process.env.CHAOS_SIZE ?? 'full');

/** One value for each size. */
export function sized<Value>(values: Readonly<Record<Size, Value>>): Value {
  return values[size];
}

function sizeOf(text: string): Size {
  const found = sizes.find((each) => each === text);
  if (found === undefined) throw new Error(`CHAOS_SIZE must be one of ${sizes.join(', ')}`);
  return found;
}
