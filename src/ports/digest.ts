/** SHA-256 of a text in UTF-8. */
export interface Digest {
  sha256Hex(text: string): string;
  sha256Base64url(text: string): string;
}
