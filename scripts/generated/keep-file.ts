import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';

const root = dirname(dirname(import.meta.dirname));

/** A file of this repository that is made from the sources. */
export interface GeneratedFile {
  /** From the root of the repository. */
  readonly path: string;
  /** A text as it is; anything else becomes JSON. */
  readonly content: unknown;
  /** The npm script that makes it. */
  readonly madeBy: string;
}

/**
 * Writes files; with `--check` only looks whether they are up to date. Resolves to the exit code: 1 when a
 * file is not.
 */
export async function keepFiles(files: readonly GeneratedFile[], args: readonly string[]): Promise<number> {
  const isCheck = args.includes('--check');
  let exitCode = 0;
  for (const { path, content, madeBy } of files) {
    const target = join(root, path);
    const text = typeof content === 'string' ? content : `${JSON.stringify(content, null, 2)}\n`;
    const isSame = (await readIfAny(target)) === text;
    if (isCheck && !isSame) {
      console.error(`${path} is not what the sources give: run npm run ${madeBy}.`);
      exitCode = 1;
      continue;
    }
    if (!isSame) {
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, text);
    }
    console.log(`${relative(process.cwd(), target)}: ${isSame ? 'up to date' : 'written'}.`);
  }
  return exitCode;
}

async function readIfAny(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
}
