import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Provider } from '../../src/domain/provider.ts';

const folder = join(import.meta.dirname, '..', '..', 'src', 'providers');

/** An entry of the catalogue, and the names that lead to it. */
export interface CatalogueEntry {
  readonly provider: Provider;
  readonly exportName: string;
  /** Without `.ts`: the provider's id. */
  readonly fileName: string;
}

/** The entries of the folder, by id. Throws when a file, its export and the id in it do not belong together. */
export async function catalogueEntries(): Promise<readonly CatalogueEntry[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.ts')).toSorted();
  const entries: CatalogueEntry[] = [];
  for (const file of files) {
    const text = await readFile(join(folder, file), 'utf8');
    if (!/^export const \w+ = defineProvider\(/m.test(text)) continue;
    const fileName = file.slice(0, -'.ts'.length);
    const exportName = camelCase(fileName);
    const provider: Provider | undefined = (await import(join(folder, file)))[exportName];
    if (provider === undefined) throw new Error(`src/providers/${file} must export ${exportName}.`);
    if (provider.id !== fileName) throw new Error(`src/providers/${file} describes "${provider.id}": name it so.`);
    entries.push({ provider, exportName, fileName });
  }
  return entries.toSorted((one, other) => (one.fileName < other.fileName ? -1 : 1));
}

/** The source of the catalogue, which imports every entry. */
export function catalogueModule(entries: readonly CatalogueEntry[]): string {
  const imports = entries.map(({ exportName, fileName }) => ({ exportName, from: `./${fileName}.ts` }));
  return [
    "import type { Provider } from '../domain/provider.ts';",
    ...imports.map(({ exportName, from }) => `import { ${exportName} } from '${from}';`),
    '',
    '/** Every entry, by id. Made by `npm run providers` from the files of this folder. */',
    'export const catalogue: readonly Provider[] = [',
    ...entries.map(({ exportName }) => `  ${exportName},`),
    '];',
    '',
  ].join('\n');
}

function camelCase(id: string): string {
  return id.replace(/-(\w)/g, (_match, letter: string) => letter.toUpperCase());
}
