import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Home, openHome } from '../../../src/host/home.ts';
import { identityOf, isAlive } from '../../../src/host/process-identity.ts';

let parent: string;
let folder: string;
let opened: Home[] = [];

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'bowline-home-'));
  folder = join(parent, 'home');
});
afterEach(async () => {
  for (const home of opened) home.release();
  opened = [];
  await rm(parent, { recursive: true });
});

function open(): Home {
  const home = openHome(folder);
  opened.push(home);
  return home;
}

const mode = async (name = '') => (await stat(join(folder, name))).mode & 0o777;
const failure = (message: string | RegExp) =>
  expect.objectContaining({
    name: 'StartFailure',
    message: typeof message === 'string' ? expect.stringContaining(message) : expect.stringMatching(message),
  });
const ports = { table: 1, queue: 2, vault: 3, demo_provider: 4 };

describe('the home', () => {
  it('is a folder for its owner alone, also where it was there with wider rights', async () => {
    await mkdir(folder);
    await chmod(folder, 0o755);
    open();
    expect(await mode()).toBe(0o700);
    expect(await mode('state.json')).toBe(0o600);
    expect(await mode('lock')).toBe(0o600);
    expect((await readdir(folder)).toSorted()).toEqual(['lock', 'state.json']);
  });

  it('keeps its keys from start to start, and each home has its own', () => {
    const first = open();
    first.release();
    const { state } = open();
    expect(state).toEqual(first.state);
    folder = join(parent, 'other');
    expect(open().state.master_key).not.toBe(state.master_key);
  });

  it('keeps what is saved', () => {
    const first = open();
    first.save({ encryption_key_secret: 'name' });
    expect(first.state.encryption_key_secret).toBe('name');
    first.release();
    expect(open().state).toEqual(first.state);
  });

  it('is open once at a time', () => {
    open();
    expect(open).toThrow(failure(`Another Bowline (process ${process.pid}) uses ${folder}`));
  });

  it('stays locked after somebody else was refused', () => {
    open();
    expect(open).toThrow(failure('Another Bowline'));
    expect(open).toThrow(failure('Another Bowline'));
  });

  it.each([
    ['a process that is gone', JSON.stringify({ pid: 2 ** 22 + 1, startedAt: null })],
    ['an earlier process with the id of a living one', JSON.stringify({ pid: process.pid, startedAt: 'long ago' })],
    ['nobody that can be read', ''],
  ])('is taken over from %s', async (_, lock) => {
    await mkdir(folder);
    await writeFile(join(folder, 'lock'), lock);
    open();
    expect(await readFile(join(folder, 'lock'), 'utf8')).toBe(JSON.stringify(identityOf(process.pid)));
    expect((await readdir(folder)).toSorted()).toEqual(['lock', 'state.json']);
  });

  it.each([
    ['', 'is damaged'],
    ['{"schema_version":1,"master_key":"short"}', 'is damaged'],
    ['[]', 'is damaged'],
    ['{"schema_version":2}', 'was written by a newer Bowline'],
  ])('refuses a state file with %s in one line, leaves it alone and lets go of the lock', async (text, message) => {
    await mkdir(folder);
    await writeFile(join(folder, 'state.json'), text);
    expect(open).toThrow(failure(new RegExp(`^${join(folder, 'state.json')} ${message}.*$`)));
    expect(await readdir(folder)).toEqual(['state.json']);
    expect(await readFile(join(folder, 'state.json'), 'utf8')).toBe(text);
  });

  it('makes no new keys beside data that the old ones belong to', async () => {
    await mkdir(join(folder, 'azurite'), { recursive: true });
    expect(open).toThrow(failure(`${join(folder, 'state.json')} is missing`));
  });

  it('misses a file that the services had', async () => {
    const home = open();
    home.save({ ports });
    home.release();
    expect(open).toThrow(failure(`${join(folder, 'vault.json')} is missing`));
  });

  it('forgets the host.json of a host that was killed', async () => {
    open().release();
    await writeFile(join(folder, 'host.json'), '{}');
    open();
    expect(await readdir(folder)).not.toContain('host.json');
  });

  it('says when it cannot be written', async () => {
    await writeFile(folder, '');
    expect(open).toThrow(failure(`Cannot write to ${folder} (EEXIST)`));
    folder = join(folder, 'below-a-file');
    expect(open).toThrow(failure('(ENOTDIR)'));
  });
});

describe('a process identity', () => {
  it('tells this process from one that had its id before', () => {
    const mine = identityOf(process.pid);
    expect(isAlive(mine)).toBe(true);
    expect(isAlive({ ...mine, startedAt: 'long ago' })).toBe(false);
    expect(isAlive({ pid: 2 ** 22 + 1, startedAt: null })).toBe(false);
  });
});
