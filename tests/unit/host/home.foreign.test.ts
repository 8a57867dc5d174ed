import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Home, openHome } from '../../../src/host/home.ts';
import { endProcess, startHostProcess } from './host-process.ts';

let parent: string;
let folder: string;
let opened: Home | undefined;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'bowline-foreign-'));
  folder = join(parent, 'theirs');
  await mkdir(folder);
  await chmod(folder, 0o755);
});
afterEach(async () => {
  opened?.release();
  opened = undefined;
  await rm(parent, { recursive: true });
});

const mode = async () => (await stat(folder)).mode & 0o777;
const open = () => {
  opened = openHome(folder);
};
/** One line that names the folder and the setting. */
const refusal = () =>
  expect.objectContaining({
    name: 'StartFailure',
    message: expect.stringMatching(new RegExp(`^(?=.*${folder})(?=.*BOWLINE_HOME).*$`)),
  });

describe('a folder that was there before it became BOWLINE_HOME', () => {
  it.each<[string, Readonly<Record<string, string>>]>([
    ['somebody’s notes', { 'notes.txt': 'mine' }],
    ['a hidden file', { '.profile': 'mine' }],
    [
      'an app for Azure Functions, which has a host.json too',
      { 'host.json': '{"version":"2.0"}', 'package.json': '{}' },
    ],
  ])('is refused in one line where it holds %s, and left as it is', async (_, files) => {
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    expect(open).toThrow(refusal());
    expect(await mode()).toBe(0o755);
    expect((await readdir(folder)).toSorted()).toEqual(Object.keys(files).toSorted());
    for (const [name, text] of Object.entries(files)) expect(await readFile(join(folder, name), 'utf8')).toBe(text);
  });

  it('is refused where it holds a folder', async () => {
    await mkdir(join(folder, 'documents'));
    expect(open).toThrow(refusal());
    expect(await mode()).toBe(0o755);
  });

  it('ends the process with one line and exit code 1', async () => {
    await writeFile(join(folder, 'notes.txt'), 'mine');
    const host = startHostProcess({ entry: 'fake', home: folder });
    try {
      expect(await host.ended()).toBe(1);
      expect(host.stderr()).toMatch(/^Bowline cannot start\. [^\n]+\n$/);
      expect(host.stderr()).toContain(folder);
      expect(host.stdout()).toBe('');
    } finally {
      await endProcess(host);
    }
    expect(await mode()).toBe(0o755);
    expect(await readdir(folder)).toEqual(['notes.txt']);
  });

  it('is taken where it is empty, and is for its owner alone from then on', async () => {
    open();
    expect(await mode()).toBe(0o700);
    expect(await readdir(folder)).toContain('state.json');
  });

  it('is taken where it is a home already, whatever else was put there, and is for its owner alone again', async () => {
    openHome(folder).release();
    await writeFile(join(folder, 'notes.txt'), 'mine');
    await chmod(folder, 0o755);
    open();
    expect(await mode()).toBe(0o700);
    expect(await readdir(folder)).toContain('notes.txt');
  });
});
