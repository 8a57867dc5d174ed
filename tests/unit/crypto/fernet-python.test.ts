import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { fromFernetText, openFernet, parseFernetKey, sealFernet, toFernetText } from '../../../src/crypto/fernet.ts';
import { Secret } from '../../../src/domain/secret.ts';

interface PythonToken {
  readonly test_only_key: string;
  readonly time_seconds: number;
  readonly iv_hex: string;
  readonly plaintext_base64: string;
  readonly token: string;
}

const { tokens }: { readonly tokens: readonly PythonToken[] } = JSON.parse(
  readFileSync(new URL('../../fixtures/fernet/python.json', import.meta.url), 'utf8'),
);

describe("tokens made by Python's cryptography (scripts/make-fernet-fixtures.py)", () => {
  test.each(tokens)('number %# opens, and what we seal from its parts is the same token', (made) => {
    const key = parseFernetKey(new Secret(made.test_only_key));
    const plaintext = Buffer.from(made.plaintext_base64, 'base64');
    expect(openFernet(key, fromFernetText(made.token)).equals(plaintext)).toBe(true);
    const parts = { timeSeconds: made.time_seconds, iv: Buffer.from(made.iv_hex, 'hex') };
    expect(toFernetText(sealFernet(key, plaintext, parts))).toBe(made.token);
  });

  test('the fixture holds tokens of two keys and of lengths around a block', () => {
    expect(tokens.length).toBeGreaterThanOrEqual(10);
    expect(new Set(tokens.map((made) => made.test_only_key)).size).toBe(2);
  });
});

const openInPython = `
import json, sys
from cryptography.fernet import Fernet
given = json.load(sys.stdin)
print(json.dumps([Fernet(given["key"]).decrypt(each.encode()).hex() for each in given["tokens"]]))
`;

function hasPython(): boolean {
  return spawnSync('python3', ['-c', 'import cryptography.fernet']).status === 0;
}

describe('with python3 and its cryptography package on this machine', () => {
  test('Python opens what we seal', ({ skip }) => {
    skip(!hasPython(), 'python3 with cryptography is not here: the committed tokens stand in for it');
    const keyText = `${randomBytes(32).toString('base64url')}=`;
    const key = parseFernetKey(new Secret(keyText));
    const plaintexts = [0, 1, 16, 1000, 200 * 1024].map((length) => randomBytes(length));
    const timeSeconds = 1_700_000_000;
    const sealed = plaintexts.map((each) => toFernetText(sealFernet(key, each, { timeSeconds, iv: randomBytes(16) })));
    const python = spawnSync('python3', ['-c', openInPython], {
      input: JSON.stringify({ key: keyText, tokens: sealed }),
      encoding: 'utf8',
      maxBuffer: 10_000_000,
    });
    expect(python.stderr).toBe('');
    expect(JSON.parse(python.stdout)).toEqual(plaintexts.map((each) => each.toString('hex')));
  });
});
