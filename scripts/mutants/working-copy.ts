import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Mutant } from './mutant.ts';

const run = promisify(execFile);

/** The working tree in a folder of its own, where sources may be broken. */
export interface WorkingCopy {
  readonly folder: string;
  /** What keeps each mutant from being applied, as a sentence that names it. Empty when all can be. */
  faultsOf(mutants: readonly Mutant[]): Promise<readonly string[]>;
  /** Breaks the copy while `work` runs. */
  withMutant<Result>(mutant: Mutant, work: () => Promise<Result>): Promise<Result>;
  remove(): Promise<void>;
}

/** Copies what git knows or would add, as it stands in the working tree; `node_modules` is shared. */
export async function createWorkingCopy(root: string): Promise<WorkingCopy> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'bowline-mutants-')));
  await copyTree(root, folder);
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction');

  const sourceOf = ({ file }: Mutant) => readFile(join(folder, file), 'utf8').catch(() => undefined);

  async function faultOf(mutant: Mutant): Promise<string | undefined> {
    const source = await sourceOf(mutant);
    if (source === undefined) return `"${mutant.name}": there is no ${mutant.file}.`;
    const count = source.split(mutant.anchor).length - 1;
    if (count !== 1) return `"${mutant.name}": its anchor is ${count} times in ${mutant.file}, not once.`;
    if (mutant.anchor === mutant.replacement) return `"${mutant.name}": it changes nothing.`;
    return undefined;
  }

  return {
    folder,
    async faultsOf(mutants) {
      const faults = await Promise.all(mutants.map(faultOf));
      return faults.filter((fault) => fault !== undefined);
    },
    async withMutant(mutant, work) {
      const path = join(folder, mutant.file);
      const source = await readFile(path, 'utf8');
      // As a function, so that a dollar sign means itself.
      await writeFile(
        path,
        source.replace(mutant.anchor, () => mutant.replacement),
      );
      try {
        return await work();
      } finally {
        await writeFile(path, source);
      }
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

async function copyTree(root: string, folder: string): Promise<void> {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const { stdout } = await run('git', args, { cwd: root, maxBuffer: 64 * 1024 * 1024 });
  for (const path of new Set(stdout.split('\0').filter((name) => name !== ''))) {
    await cp(join(root, path), join(folder, path)).catch((error: NodeJS.ErrnoException) => {
      // Deleted in the working tree, and git does not know yet.
      if (error.code !== 'ENOENT') throw error;
    });
  }
}
