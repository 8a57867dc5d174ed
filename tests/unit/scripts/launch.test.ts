import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

const launcher = join(import.meta.dirname, '..', '..', '..', 'scripts');
const pinned = `node-${process.platform}-${process.arch}`;
const lockText = (version: string) =>
  JSON.stringify({
    packages: {
      '': {},
      'node_modules/a': { version, integrity: 'sha512-a' },
      'node_modules/for-another-system': { version: '1.0.0', optional: true },
    },
  });

/** Stands in for npm: notes the call, then installs what the lock file names, and a Node where `pinned` says. */
const fakeNpm = `#!/bin/sh
echo "$@" >> npm-calls
if [ -n "$NPM_FAILS" ]; then echo 'npm error the registry is on fire'; exit 7; fi
[ -z "$NPM_WAITS_FOR" ] || while [ ! -e "$NPM_WAITS_FOR" ]; do sleep 0.05; done
rm -rf node_modules
mkdir -p node_modules/.bin node_modules/vitest node_modules/${pinned}/bin
ln -s "${process.execPath}" node_modules/${pinned}/bin/node
echo 'console.log(JSON.stringify(process.argv.slice(2)))' > node_modules/vitest/vitest.mjs
cp package-lock.json node_modules/.package-lock.json
`;

let root: string;
let lockPath: string;
const started: ChildProcess[] = [];

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'bowline-launch-')));
  lockPath = join(
    await realpath(tmpdir()),
    `bowline-install-${createHash('sha256').update(root).digest('hex').slice(0, 16)}.lock`,
  );
  await cp(join(launcher, 'launch.mjs'), join(root, 'scripts', 'launch.mjs'));
  await cp(join(launcher, 'launch'), join(root, 'scripts', 'launch'), { recursive: true });
  await writeFile(join(root, 'package-lock.json'), lockText('1.0.0'));
  await mkdir(join(root, 'fake'));
  await writeFile(join(root, 'fake', 'npm'), fakeNpm);
  await chmod(join(root, 'fake', 'npm'), 0o755);
});

afterEach(async () => {
  for (const child of started.splice(0)) if (child.exitCode === null) child.kill('SIGKILL');
  await rm(root, { recursive: true, force: true });
  await rm(lockPath, { force: true });
});

interface Launch {
  readonly process: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly ended: Promise<number | null>;
}

function launch(
  args: readonly string[],
  options: { env?: Record<string, string>; group?: boolean; node?: string[] } = {},
): Launch {
  const { npm_execpath: _, ...environment } = process.env;
  const env = {
    ...environment,
    PATH: `${join(root, 'fake')}${delimiter}${process.env.PATH}`,
    TMPDIR: tmpdir(),
    ...options.env,
  };
  const child = spawn(process.execPath, [...(options.node ?? []), join(root, 'scripts', 'launch.mjs'), ...args], {
    env,
    detached: options.group ?? false,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  return { process: child, stdout: () => stdout, stderr: () => stderr, ended };
}

async function npmCalls(): Promise<readonly string[]> {
  const text = await readFile(join(root, 'npm-calls'), 'utf8').catch(() => '');
  return text.split('\n').filter((line) => line !== '');
}

async function install(lock: string): Promise<void> {
  await mkdir(join(root, 'node_modules', pinned, 'bin'), { recursive: true });
  await symlink(process.execPath, join(root, 'node_modules', pinned, 'bin', 'node'));
  await writeFile(join(root, 'node_modules', '.package-lock.json'), lock);
}

async function script(name: string, text: string): Promise<string> {
  await writeFile(join(root, name), text);
  return name;
}

describe('installing', () => {
  test('happens on a bare clone with one line, and not again', async () => {
    const first = launch(['test', 'tests/unit/x', '--bail=1']);
    expect(await first.ended).toBe(0);
    expect(first.stdout()).toBe('["run","tests/unit/x","--bail=1"]\n');
    expect(first.stderr()).toMatch(/^Installing what package-lock\.json names.*\n$/);

    const second = launch(['test']);
    expect(await second.ended).toBe(0);
    expect(second.stderr()).toBe('');
    expect(await npmCalls()).toEqual(['ci --include=dev --include=optional --no-audit --no-fund']);
  });

  test('is not repeated where npm itself installed what the lock file names', async () => {
    await install(lockText('1.0.0'));
    const name = await script('x.mjs', 'process.exit(0)');
    expect(await launch(['run', name]).ended).toBe(0);
    expect(await npmCalls()).toEqual([]);
    await expect(readFile(join(root, 'node_modules', '.bowline-installed'), 'utf8')).resolves.toMatch(/^[0-9a-f]{64}$/);
  });

  test('happens again when the lock file changes', async () => {
    expect(await launch(['test']).ended).toBe(0);
    await writeFile(join(root, 'package-lock.json'), lockText('1.0.1'));
    expect(await launch(['test']).ended).toBe(0);
    expect(await npmCalls()).toHaveLength(2);
  });

  test('happens again when something else was installed since', async () => {
    expect(await launch(['test']).ended).toBe(0);
    await writeFile(join(root, 'node_modules', '.package-lock.json'), JSON.stringify({ packages: {} }));
    expect(await launch(['test']).ended).toBe(0);
    expect(await npmCalls()).toHaveLength(2);
  });

  test('that fails shows what npm printed and one clear line, and starts nothing', async () => {
    const failing = launch(['test'], { env: { NPM_FAILS: 'yes' } });
    expect(await failing.ended).toBe(7);
    expect(failing.stderr()).toContain(
      'npm error the registry is on fire\nnpm ci failed with exit code 7; its output is above.\n',
    );
    expect(failing.stderr()).not.toContain('    at ');
    expect(failing.stdout()).toBe('');
  });

  test('happens once when several start together', async () => {
    const gate = join(root, 'gate');
    const launches = [1, 2, 3].map((n) => launch(['test', `${n}`], { env: { NPM_WAITS_FOR: gate } }));
    await vi.waitFor(() => {
      const waiting = launches.filter((one) => one.stderr().includes('Waiting for another process'));
      expect(waiting).toHaveLength(2);
    }, 10_000);
    await writeFile(gate, '');
    expect(await Promise.all(launches.map((one) => one.ended))).toEqual([0, 0, 0]);
    expect(await npmCalls()).toHaveLength(1);
  });

  test('takes over from a process that died while it installed', async () => {
    const dead = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
    await new Promise((resolve) => dead.once('close', resolve));
    await writeFile(lockPath, String(dead.pid));
    expect(await launch(['test']).ended).toBe(0);
    expect(await npmCalls()).toHaveLength(1);
  });

  test('that is stopped leaves no lock behind', async () => {
    const stopped = launch(['test'], { env: { NPM_WAITS_FOR: join(root, 'never') } });
    await vi.waitFor(async () => expect(await npmCalls()).toHaveLength(1), 10_000);
    stopped.process.kill('SIGTERM');
    expect(await stopped.ended).toBe(143);
    expect(stopped.stderr()).toContain('Stopped while installing.');
    await expect(readFile(lockPath)).rejects.toThrow('ENOENT');
  });
});

describe('the command', () => {
  beforeEach(() => install(lockText('1.0.0')));

  test('runs on the pinned Node, with the project’s tools first in PATH, and its exit code is the launcher’s', async () => {
    const name = await script(
      'x.mjs',
      'console.log(process.execPath, process.env.PATH, process.argv[2]); process.exit(3)',
    );
    const run = launch(['run', name, 'an argument']);
    expect(await run.ended).toBe(3);
    expect(run.stdout()).toMatch(/ an argument\n$/);
    expect(run.stdout().split(' ')[1]?.split(delimiter)[0]).toBe(join(root, 'node_modules', '.bin'));
  });

  test('that is unknown gets the usage', async () => {
    const run = launch(['fly']);
    expect(await run.ended).toBe(1);
    expect(run.stderr()).toMatch(/^Usage: .*\n$/);
  });

  test('does not start on a Node that is too old', async () => {
    const old = await script('old.mjs', "Object.defineProperty(process, 'versions', { value: { node: '18.20.4' } });");
    const run = launch(['test'], { node: ['--import', join(root, old)] });
    expect(await run.ended).toBe(1);
    expect(run.stderr()).toBe('Bowline needs Node 20 or newer; this is Node 18.20.4.\n');
  });
});

describe('signals', () => {
  /** Counts signals and drains at the first one until `drained` appears. */
  const drains = (gate: string) => `
    import { existsSync } from 'node:fs';
    let seen = 0;
    for (const name of ['SIGINT', 'SIGTERM']) process.on(name, () => console.log(name, (seen += 1)));
    const timer = setInterval(() => { if (existsSync(${JSON.stringify(gate)})) process.exit(42); }, 20);
    console.log('ready');
  `;

  beforeEach(() => install(lockText('1.0.0')));

  test.each(['SIGINT', 'SIGTERM'] as const)(
    '%s to the whole group and again from npm reaches the child once, which then drains',
    async (signal) => {
      const gate = join(root, 'drained');
      const run = launch(['run', await script('x.mjs', drains(gate))], { group: true });
      await vi.waitFor(() => expect(run.stdout()).toContain('ready'), 10_000);
      process.kill(-(run.process.pid ?? 0), signal);
      run.process.kill(signal);
      await vi.waitFor(() => expect(run.stdout()).toContain(`${signal} 1`), 10_000);
      await writeFile(gate, '');
      expect(await run.ended).toBe(42);
      expect(run.stdout()).toBe(`ready\n${signal} 1\n`);
    },
  );

  test('the death of npm’s shell reaches the child as a SIGTERM', async () => {
    const gate = join(root, 'drained');
    const name = await script('x.mjs', drains(gate));
    const launched = `${JSON.stringify(process.execPath)} scripts/launch.mjs run ${name}; true`;
    const shell = spawn('sh', ['-c', launched], {
      cwd: root,
      env: { ...process.env, npm_lifecycle_event: 'start' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    started.push(shell);
    let output = '';
    shell.stdout.on('data', (chunk) => (output += chunk));
    const closed = new Promise((resolve) => shell.once('close', resolve));
    await vi.waitFor(() => expect(output).toContain('ready'), 10_000);
    shell.kill('SIGKILL');
    await vi.waitFor(() => expect(output).toContain('SIGTERM 1'), 10_000);
    await writeFile(gate, '');
    await closed;
    expect(output).toBe('ready\nSIGTERM 1\n');
  });

  test('a second Ctrl-C, more than a second later, reaches the child as well', async () => {
    const gate = join(root, 'drained');
    const run = launch(['run', await script('x.mjs', drains(gate))], { group: true });
    await vi.waitFor(() => expect(run.stdout()).toContain('ready'), 10_000);
    const startedMs = performance.now();
    await vi.waitFor(
      () => {
        run.process.kill('SIGINT');
        expect(run.stdout()).toContain('SIGINT 2');
      },
      { timeout: 10_000, interval: 100 },
    );
    expect(performance.now() - startedMs).toBeGreaterThan(1000);
    await writeFile(gate, '');
    expect(await run.ended).toBe(42);
  });
});
