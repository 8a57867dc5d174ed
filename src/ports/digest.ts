/** SHA-256 of a text in UTF-8. */
export interface Digest {
  sha256Hex(text: string): string;
  sha256Base64url(text: string): string;
  /** Whether two digests are the same, in a time that does not tell where they differ. */
  isSame(one: string, other: string): boolean;
}
