/** What is done later, once. A process does not stay alive for it. */
export interface Timers {
  /** Runs some work after a time; it must not throw. Gives what calls it off. */
  after(milliseconds: number, work: () => void): () => void;
}
