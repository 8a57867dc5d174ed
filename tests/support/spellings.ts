/** Every way in which a secret might stand somewhere. */
export function spellings(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  // Base64 of a text inside another begins at any of three places.
  const inside = [0, 1, 2].map((skip) => bytes.subarray(skip, skip + 24).toString('base64'));
  const hex = bytes.toString('hex');
  const inUrl = inside.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'));
  return [secret, ...inside, ...inUrl, hex, encodeURIComponent(secret), bytes.toString('utf16le')];
}
