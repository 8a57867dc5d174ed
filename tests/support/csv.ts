/** The rows of a CSV text (RFC 4180) as objects, by the names in its first line. */
export function readCsv(text: string): readonly Readonly<Record<string, string>>[] {
  const rows: string[][] = [[]];
  // A field: quoted, with its quotes doubled, or up to the next comma or line end; then what ends it.
  for (const [, quoted, plain, end] of text.trimEnd().matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain ?? '');
    if (end === '') break;
    if (end !== ',') rows.push([]);
  }
  const [names = [], ...records] = rows;
  return records.map((record) => {
    if (record.length !== names.length) throw new Error(`a row has ${record.length} fields: ${record.join(',')}`);
    return Object.fromEntries(names.map((name, at) => [name, record[at] ?? '']));
  });
}
