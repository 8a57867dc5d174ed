import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

export interface TestRun {
  /** Every test passed, and each file and title that was named ran. */
  readonly isGreen: boolean;
  /** The title of the first test that failed. Null when none did, whatever else went wrong. */
  readonly failedTest: string | null;
  /** Why that test failed, or what else went wrong. */
  readonly problem: string | null;
  readonly seconds: number;
}

export interface TestRunOptions {
  /** From the folder. */
  readonly files: readonly string[];
  /** Parts of titles: only tests with one of them run, and each must be there. Default: all tests. */
  readonly titles?: readonly string[];
  readonly limitMs: number;
  /** Ends at the first failure. */
  readonly isShort: boolean;
  readonly signal: AbortSignal;
}

interface Assertion {
  readonly fullName: string;
  readonly status: string;
  readonly failureMessages: readonly string[];
}

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly Assertion[];
  }[];
}

const reportName = '.mutants-report.json';
const temporaryName = '.mutants-temporary';

/** Runs test files of a working copy with its own vitest configuration. */
export async function runTests(folder: string, options: TestRunOptions): Promise<TestRun> {
  const { files, titles = [], limitMs, isShort } = options;
  const began = performance.now();
  await rm(join(folder, reportName), { force: true });
  const ended = await runVitest(
    folder,
    [
      ...files,
      '--reporter=json',
      `--outputFile=${reportName}`,
      // What vitest remembers of earlier runs lies in node_modules, which is not ours alone.
      '--no-cache',
      `--fsModuleCachePath=${join(folder, '.vitest-cache')}`,
      ...(titles.length > 0 ? ['--testNamePattern', titles.map(asPattern).join('|')] : []),
      ...(isShort ? ['--bail=1'] : []),
    ],
    options,
  );
  const seconds = (performance.now() - began) / 1000;
  const red = (problem: string): TestRun => ({ isGreen: false, failedTest: null, problem, seconds });
  if (ended.isOverTime) return red(`no end within ${limitMs / 1000} s`);
  const report = await readReport(folder);
  if (report === undefined) return red(`vitest left no report: ${ended.output.trim().slice(-500)}`);
  const { testResults } = report;
  const failed = testResults.flatMap((file) => file.assertionResults).find(({ status }) => status === 'failed');
  if (failed !== undefined) return { ...red(failed.failureMessages[0] ?? ''), failedTest: failed.fullName };
  const missing = files.filter((file) => !testResults.some(({ name }) => name === join(folder, file)));
  if (missing.length > 0) return red(`did not run: ${missing.join(', ')}`);
  const ran = testResults.flatMap((file) => file.assertionResults).filter(({ status }) => status === 'passed');
  const unknown = titles.filter((title) => !ran.some(({ fullName }) => fullName.includes(title)));
  if (unknown.length > 0) return red(`no such test ran: ${unknown.join(', ')}`);
  if (ended.exitCode === 0) return { isGreen: true, failedTest: null, problem: null, seconds };
  const message = testResults.find((file) => file.message !== '')?.message ?? ended.output.trim().slice(-500);
  return red(message.split('\n')[0] ?? '');
}

function asPattern(title: string): string {
  return title.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&');
}

interface Ended {
  readonly exitCode: number | null;
  readonly isOverTime: boolean;
  readonly output: string;
}

/** In a process group of its own, so that its workers end with it when the time is over. */
function runVitest(folder: string, args: readonly string[], { limitMs, signal }: TestRunOptions): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const vitest = join(folder, 'node_modules', 'vitest', 'vitest.mjs');
    // What tests with real processes keep after a failure goes with the copy.
    const temporary = join(folder, temporaryName);
    mkdirSync(temporary, { recursive: true });
    const child = spawn(process.execPath, [vitest, 'run', ...args], {
      cwd: folder,
      env: { ...process.env, TMPDIR: temporary, TEMP: temporary },
      detached: process.platform !== 'win32',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output: Buffer[] = [];
    let isOverTime = false;
    const end = () => {
      if (child.pid === undefined || child.exitCode !== null) return;
      if (process.platform === 'win32') child.kill('SIGKILL');
      else process.kill(-child.pid, 'SIGKILL');
    };
    const timer = setTimeout(() => {
      isOverTime = true;
      end();
    }, limitMs);
    signal.addEventListener('abort', end);
    child.stdout.on('data', (chunk) => output.push(chunk));
    child.stderr.on('data', (chunk) => output.push(chunk));
    child.once('error', reject);
    child.once('close', (exitCode) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      if (signal.aborted) reject(signal.reason);
      else resolve({ exitCode, isOverTime, output: Buffer.concat(output).toString() });
    });
  });
}

async function readReport(folder: string): Promise<Report | undefined> {
  try {
    return JSON.parse(await readFile(join(folder, reportName), 'utf8'));
  } catch {
    return undefined;
  }
}
