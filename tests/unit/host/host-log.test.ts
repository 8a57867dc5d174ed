import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHostLogger, type HostLogger } from '../../../src/host/host-log.ts';

let folder: string;
let path: string;
let shown: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bowline-log-'));
  path = join(folder, 'bowline.log');
  shown = [];
});
afterEach(() => rm(folder, { recursive: true }));

const logger = (): HostLogger =>
  createHostLogger({ path, now: () => new Date('2026-01-02T03:04:05Z'), show: (line) => shown.push(line) });
const lines = async () => (await readFile(path, 'utf8')).trimEnd().split('\n');

describe('the log of the embedded host', () => {
  it('keeps everything in a file for its owner, and shows warnings and errors without their fields', async () => {
    const { log } = logger();
    log('info', 'quiet', { a: 1 });
    log('warn', 'look', { b: 2 });
    log('error', 'broken');
    expect(shown).toEqual(['warn: look', 'error: broken']);
    expect((await lines()).map((line) => JSON.parse(line))).toEqual([
      { time: '2026-01-02T03:04:05.000Z', level: 'info', event: 'host', message: 'quiet', a: 1 },
      { time: '2026-01-02T03:04:05.000Z', level: 'warn', event: 'host', message: 'look', b: 2 },
      { time: '2026-01-02T03:04:05.000Z', level: 'error', event: 'host', message: 'broken' },
    ]);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it("passes the app's lines on as they are, and shows the loud ones short", async () => {
    const { appLine } = logger();
    const given = [
      '{"level":30,"event":"refreshed"}',
      '{"level":40,"event":"refresh_failed","code":"provider_unavailable","detail":"long","correlation_id":"c1"}',
      '{"level":"error","msg":"crash"}',
      'not JSON',
    ];
    for (const line of given) appLine(`${line}\n`);
    expect(await lines()).toEqual(given);
    expect(shown).toEqual(['warn: refresh_failed provider_unavailable c1', 'error: crash']);
  });

  it('shows one line at most, without control characters', () => {
    const { log } = logger();
    log('error', `a\nb\u001b[31m\u2028${'x'.repeat(1000)}`);
    expect(shown[0]).toMatch(/^error: a b \[31m x+…$/);
  });

  it('begins a new file when the old one has grown', async () => {
    await writeFile(path, 'x'.repeat(10 * 1024 * 1024 + 1));
    logger().log('info', 'new');
    expect(await lines()).toHaveLength(1);
    expect((await stat(`${path}.1`)).size).toBeGreaterThan(10 * 1024 * 1024);
  });
});
