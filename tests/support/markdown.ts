import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

/** The text of a page of this repository. */
export function readPage(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** What stands below a heading, up to the next one of its level or above. Throws when there is no such heading. */
export function sectionOf(page: string, heading: string): string {
  const lines = page.split('\n');
  const from = lines.indexOf(heading);
  if (from < 0) throw new Error(`there is no heading ${heading}`);
  const level = heading.indexOf(' ');
  const isEnd = (line: string) => /^#+ /.test(line) && line.indexOf(' ') <= level;
  const length = lines.slice(from + 1).findIndex(isEnd);
  return lines.slice(from + 1, length < 0 ? undefined : from + 1 + length).join('\n');
}

/** The cells of every row of the tables in a text, heads left out. */
export function tableRows(text: string): readonly (readonly string[])[] {
  const lines = text.split('\n');
  const isRule = (line: string | undefined) => /^\|[-|: ]+\|$/.test(line ?? '');
  return lines
    .filter((line, index) => line.startsWith('|') && !isRule(line) && !isRule(lines[index + 1]))
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    );
}

/** The code of every fence of a language. */
export function codeBlocks(text: string, language: string): readonly string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
    ([, code]) => code ?? '',
  );
}

/** A name set in backticks, without them. */
export function unquoted(cell: string | undefined): string {
  return (cell ?? '').replaceAll('`', '');
}
