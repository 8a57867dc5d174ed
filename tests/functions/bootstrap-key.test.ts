import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { startTestBroker } from '../support/test-broker.ts';

/** The script on its own, as in a clone in which nothing is installed. */
const clone = mkdtempSync(join(tmpdir(), 'bowline-bootstrap-key-'));
cpSync(join(import.meta.dirname, '..', '..', 'scripts', 'bootstrap-key.mjs'), join(clone, 'bootstrap-key.mjs'));
afterAll(() => rmSync(clone, { recursive: true }));

function bootstrapKey(): { readonly key: string; readonly hash: string; readonly said: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['bootstrap-key.mjs'], {
    cwd: clone,
    encoding: 'utf8',
  });
  expect(status).toBe(0);
  const hash = /^BOOTSTRAP_ADMIN_KEY_SHA256=([0-9a-f]{64})$/m.exec(stderr)?.[1] ?? '';
  return { key: stdout.trimEnd(), hash, said: stderr };
}

describe('npm run bootstrap-key', () => {
  it('prints the key alone on stdout, another each time, and nothing of it beside the hash', () => {
    const [one, other] = [bootstrapKey(), bootstrapKey()];
    expect(one.key).toMatch(/^bwl_[0-9a-f]{32}_[A-Za-z0-9_-]{43}$/);
    expect(one.key).not.toBe(other.key);
    expect(one.said).not.toContain(one.key.slice(-43));
  });

  it('prints the hash by which a deployment knows that key, and no other, as its first administrator', async () => {
    const { key, hash } = bootstrapKey();
    const broker = await startTestBroker({ settings: { BOOTSTRAP_ADMIN_KEY_SHA256: hash } });
    expect(await broker.call('GET', '/api/oauth/me', { key })).toMatchObject({
      status: 200,
      json: { id: 'bootstrap', org_ids: ['*'], roles: ['admin', 'operator', 'reader', 'auditor'] },
    });
    expect((await broker.call('GET', '/api/oauth/me', { key: bootstrapKey().key })).status).toBe(401);
    await broker.stop();
  });
});
