/** A step of the demo that did not come to what it should. The message is one line for a person. */
export class StepFailure extends Error {
  override readonly name = 'StepFailure';
}

/** Throws `StepFailure` unless the condition holds. */
export function expectThat(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new StepFailure(otherwise);
}
