/** Memory of this process that forgets by itself. */
export interface Cache<Value> {
  get(key: string): Value | undefined;
  /**
   * Remembers a value. `since` is when it began to be read, from which its life counts; default now. What began to be
   * read before the last `clear` is not remembered.
   */
  set(key: string, value: Value, since?: number): void;
  delete(key: string): void;
  clear(): void;
}
