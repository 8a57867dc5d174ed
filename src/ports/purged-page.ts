/** A bounded part of a purge. */
export interface PurgedPage {
  readonly removed: number;
  /** Where to go on after this page. Null at the end. */
  readonly cursor: string | null;
}
