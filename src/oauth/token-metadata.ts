const longestMetadataBytes = 4096;
const deepest = 5;
const secretName = /token$|secret|passw|assertion|credential|cookie|private_?key|api_?key|(^|_)jwt$/i;

/**
 * What a provider said beside the tokens and is safe to hand on: no field whose name or text is a secret, at any
 * depth, and at most 4 KB. A field that would not fit is left out whole.
 */
export function tokenMetadata(
  rest: Readonly<Record<string, unknown>>,
  tokens: readonly string[],
): Readonly<Record<string, unknown>> {
  const kept: [string, unknown][] = [];
  let size = 2;
  for (const [name, value] of Object.entries(rest)) {
    const safe = isSafeName(name) ? withoutSecrets(value, tokens, deepest) : undefined;
    if (safe === undefined) continue;
    const fieldSize = Buffer.byteLength(JSON.stringify({ [name]: safe })) - 1;
    if (size + fieldSize > longestMetadataBytes) continue;
    kept.push([name, safe]);
    size += fieldSize;
  }
  return Object.fromEntries(kept);
}

/** Undefined: there is nothing in it to keep. What is nested deeper than anybody needs is dropped. */
function withoutSecrets(value: unknown, tokens: readonly string[], levelsLeft: number): unknown {
  if (typeof value === 'string') return tokens.some((token) => value.includes(token)) ? undefined : value;
  if (typeof value !== 'object' || value === null) return value;
  if (levelsLeft === 0) return undefined;
  if (Array.isArray(value)) {
    return value.map((item) => withoutSecrets(item, tokens, levelsLeft - 1)).filter((item) => item !== undefined);
  }
  const fields = Object.entries(value)
    .filter(([name]) => isSafeName(name))
    .map(([name, item]) => [name, withoutSecrets(item, tokens, levelsLeft - 1)] as const)
    .filter(([, item]) => item !== undefined);
  return Object.fromEntries(fields);
}

function isSafeName(name: string): boolean {
  return name !== '__proto__' && !secretName.test(name);
}
