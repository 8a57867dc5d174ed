import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { lockHome } from './home-lock.ts';
import { type HomeState, loadHomeState, saveHomeState } from './home-state.ts';
import { damagedFile } from './json-file.ts';
import { StartFailure } from './start-failure.ts';

const privateFolderMode = 0o700;

/** The names of what lies in a home. */
const fileNames = {
  state: 'state.json',
  hostJson: 'host.json',
  log: 'bowline.log',
  vault: 'vault.json',
  storage: 'azurite',
  demoProvider: 'demo-provider',
} as const;

/** Whatever the services have once they ran. One of them gone means that connections are lost. */
const servicesLeave = [
  'vault.json',
  'azurite/tables.json',
  'azurite/queues.json',
  'demo-provider/server.json',
  'demo-provider/grants.jsonl',
];

/** The folder where one host keeps everything, locked for this process. */
export interface Home {
  readonly folder: string;
  readonly state: HomeState;
  path(name: keyof typeof fileNames): string;
  /** Writes changed state down. */
  save(changes: Partial<HomeState>): void;
  /** Lets other hosts use the home. */
  release(): void;
}

/**
 * Opens a home, made with mode 0700 where it is missing, and locks it. Throws `StartFailure` with one clear line when
 * it cannot be written, another host uses it, or what is in it is damaged or newer than this program.
 */
export function openHome(folder: string): Home {
  makeFolder(folder);
  const release = unlessUnwritable(folder, () => lockHome(folder));
  const path = (name: keyof typeof fileNames) => join(folder, fileNames[name]);
  try {
    let state = loadHomeState(path('state'), { hasData: existsSync(path('vault')) || existsSync(path('storage')) });
    checkComplete(folder, state);
    // Left behind by a host that was killed; what it says is not true any more.
    rmSync(path('hostJson'), { force: true });
    return {
      folder,
      get state() {
        return state;
      },
      path,
      save: (changes) => {
        state = { ...state, ...changes };
        saveHomeState(path('state'), state);
      },
      release,
    };
  } catch (error) {
    release();
    throw error;
  }
}

function makeFolder(folder: string): void {
  unlessUnwritable(folder, () => {
    if (existsSync(folder)) assertOurs(folder);
    mkdirSync(folder, { recursive: true, mode: privateFolderMode });
    chmodSync(folder, privateFolderMode);
  });
}

/** What only a home has, even one whose first start was interrupted: every function app has a `host.json`. */
const signsOfHome = [fileNames.state, fileNames.vault, fileNames.storage, 'lock'];

/** Nobody's own folder becomes private because BOWLINE_HOME names it by mistake. */
function assertOurs(folder: string): void {
  if (!statSync(folder).isDirectory()) return;
  const names = readdirSync(folder);
  if (names.length === 0 || signsOfHome.some((name) => names.includes(name))) return;
  throw new StartFailure(`${folder} holds other things. Set BOWLINE_HOME to an empty folder, or to a home of Bowline.`);
}

function checkComplete(folder: string, state: HomeState): void {
  if (state.ports === null) return;
  for (const name of servicesLeave) {
    if (!existsSync(join(folder, name))) throw damagedFile(join(folder, name), 'is missing');
  }
}

/** System errors of the file system, in words. */
function unlessUnwritable<T>(folder: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof StartFailure || !(error instanceof Error) || !('code' in error)) throw error;
    throw new StartFailure(`Cannot write to ${folder} (${String(error.code)}). Set BOWLINE_HOME to a folder of yours.`);
  }
}
