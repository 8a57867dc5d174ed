/** One deliberate break of the sources, and the tests that must notice it. */
export interface Mutant {
  readonly name: string;
  /** From the root of the repository. */
  readonly file: string;
  /** The text that is replaced. It must be in the file exactly once. */
  readonly anchor: string;
  readonly replacement: string;
  /** The test files that run, from the root of the repository: the fewest that notice. */
  readonly tests: readonly string[];
  /** A part of the title of the test in them that is meant to notice: no other one runs. Default: all of them do. */
  readonly title?: string;
}
