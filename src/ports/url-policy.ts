/** Which URLs a connection may name. Connecting judges every resolved address as well. */
export interface UrlPolicy {
  /** `undefined` when the URL may be saved, else what is wrong with it: a sentence that repeats nothing of the URL. */
  problem(url: string): string | undefined;
}
