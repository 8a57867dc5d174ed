import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { parseFernetKey } from '../../../src/crypto/fernet.ts';
import { createKeyring, KeyringError, UnreadablePayloadError } from '../../../src/crypto/keyring.ts';
import { Secret } from '../../../src/domain/secret.ts';

const minuteMs = 60_000;
const text = Buffer.from('the tokens of one grant');

function newKey(): Secret {
  return new Secret(randomBytes(32).toString('base64url'));
}

function idOf(key: Secret): string {
  return parseFernetKey(key).id;
}

/** A ring whose keys, clock and storage failures the test turns. */
function setUp(...first: readonly Secret[]) {
  const state = {
    keys: first,
    nowMs: 1_700_000_000_000,
    loads: 0,
    failure: undefined as Error | undefined,
    gate: undefined as Promise<void> | undefined,
    reported: [] as unknown[],
  };
  const ring = createKeyring({
    load: async () => {
      state.loads += 1;
      await state.gate;
      if (state.failure !== undefined) {
        throw state.failure;
      }
      return state.keys;
    },
    clock: { now: () => state.nowMs },
    randomBytes,
    onReloadFailed: (error) => state.reported.push(error),
  });
  return { state, ring };
}

async function sealWith(...keys: readonly Secret[]): Promise<Uint8Array> {
  return setUp(...keys).ring.seal(text);
}

/** Lets everything that is ready run; nothing in here waits for time or I/O. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('sealing and opening', () => {
  test('the first key seals, every key opens, and the opener is named', async () => {
    const [oldKey, newestKey] = [newKey(), newKey()];
    const { ring } = setUp(newestKey, oldKey);
    const sealedBefore = await sealWith(oldKey);
    expect(await ring.openNamed(sealedBefore)).toEqual({ plaintext: text, keyId: idOf(oldKey) });
    expect(await ring.openNamed(await ring.seal(text))).toEqual({ plaintext: text, keyId: idOf(newestKey) });
    expect(await ring.keyIds()).toEqual([idOf(newestKey), idOf(oldKey)]);
  });

  test('the same text sealed twice gives different bytes that begin with 0x80', async () => {
    const { ring } = setUp(newKey());
    const [one, two] = [await ring.seal(text), await ring.seal(text)];
    expect(one[0]).toBe(0x80);
    expect(Buffer.from(one).equals(two)).toBe(false);
  });

  test('a payload has no age: clocks that differ by years do not make it unreadable', async () => {
    const key = newKey();
    const writer = setUp(key);
    writer.state.nowMs += 5 * 365 * 24 * 60 * minuteMs;
    expect(await setUp(key).ring.open(await writer.ring.seal(text))).toEqual(text);
  });

  test('S-42 what no key opens and what has an unknown format fail alike, and only the log can tell', async () => {
    const { ring } = setUp(newKey());
    const foreign = await sealWith(newKey());
    const failures = await Promise.all(
      [foreign, Buffer.from([0x81, ...foreign.subarray(1)]), new Uint8Array(0), Buffer.from([0x80])].map((sealed) =>
        ring.open(sealed).catch((error: unknown) => error),
      ),
    );
    for (const failure of failures) {
      expect(failure).toBeInstanceOf(UnreadablePayloadError);
      expect((failure as Error).message).toBe('The sealed payload cannot be opened.');
    }
    expect(failures.map((failure) => (failure as UnreadablePayloadError).reason)).toEqual([
      'no_key',
      'unknown_format',
      'unknown_format',
      'no_key',
    ]);
  });

  test('S-44 an unknown format does not make the keys be read again', async () => {
    const { state, ring } = setUp(newKey());
    await ring.seal(text);
    await expect(ring.open(Buffer.from('v2 whatever this is'))).rejects.toMatchObject({ reason: 'unknown_format' });
    expect(state.loads).toBe(1);
  });
});

describe('the first load', () => {
  test('happens at first use and is shared by everybody who comes meanwhile', async () => {
    const { state, ring } = setUp(newKey());
    expect(state.loads).toBe(0);
    await Promise.all(Array.from({ length: 50 }, () => ring.seal(text)));
    expect(state.loads).toBe(1);
  });

  test('rejects for all who share it when it fails, and the next call tries again', async () => {
    const { state, ring } = setUp(newKey());
    state.failure = new Error('vault down');
    const outcomes = await Promise.allSettled([ring.seal(text), ring.seal(text), ring.keyIds()]);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(state.loads).toBe(1);
    state.failure = undefined;
    expect(await ring.open(await ring.seal(text))).toEqual(text);
    expect(state.loads).toBe(2);
  });

  const good = newKey();
  test.each([
    ['no key', [], 'There is no encryption key.'],
    ['a duplicate', [good, newKey(), good], 'is there twice'],
    ['a duplicate in other words', [good, new Secret(`${good.reveal()}=`)], 'is there twice'],
    ['a short key', [good, new Secret('c2hvcnQ')], 'Encryption key 2: A Fernet key has 32 bytes: this one has 5.'],
    [
      'zeros',
      [new Secret(Buffer.alloc(32).toString('base64url'))],
      'Encryption key 1: This Fernet key is a placeholder',
    ],
    ['the key of the specification', [new Secret('cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=')], 'is public'],
    ["Airflow's example", [good, new Secret('46BKJoQYlPPOexq0OhDZnIlNepKFf87WFwLbfzqDDho=')], 'is public'],
    ["Airflow's other one", [new Secret('81HqDtbqAywKSOumSha3BhWNOdQ26slT6K0YaZeZyPs=')], 'is public'],
  ])('S-46 refuses %s, and shows no key', async (_name, keys, message) => {
    const { ring } = setUp(...keys);
    const failure: unknown = await ring.seal(text).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(KeyringError);
    expect((failure as Error).message).toContain(message);
    for (const key of keys) {
      expect((failure as Error).message).not.toContain(key.reveal());
    }
  });
});

describe('reading the keys again, every 10 minutes', () => {
  test('does not happen before, and happens behind the back of the call that is due', async () => {
    const [oldKey, newestKey] = [newKey(), newKey()];
    const { state, ring } = setUp(oldKey);
    await ring.seal(text);
    state.keys = [newestKey, oldKey];
    state.nowMs += 10 * minuteMs - 1;
    expect(await ring.keyIds()).toEqual([idOf(oldKey)]);
    expect(state.loads).toBe(1);
    state.nowMs += 1;
    expect(await ring.keyIds()).toEqual([idOf(oldKey)]);
    await settle();
    expect(state.loads).toBe(2);
    expect(await ring.keyIds()).toEqual([idOf(newestKey), idOf(oldKey)]);
  });

  test('does not hold up a call while it lasts', async () => {
    const { state, ring } = setUp(newKey());
    await ring.seal(text);
    state.gate = new Promise(() => {});
    state.nowMs += 11 * minuteMs;
    expect(await ring.open(await ring.seal(text))).toEqual(text);
    expect(state.loads).toBe(2);
  });

  test('keeps the old keys when it fails, reports it, and tries again half a minute later', async () => {
    const [oldKey, newestKey] = [newKey(), newKey()];
    const { state, ring } = setUp(oldKey);
    await ring.seal(text);
    state.failure = new Error('vault down');
    state.nowMs += 10 * minuteMs;
    for (let call = 0; call < 5; call += 1) {
      expect(await ring.open(await ring.seal(text))).toEqual(text);
      await settle();
    }
    expect(state.loads).toBe(2);
    expect(state.reported).toEqual([state.failure]);
    state.failure = undefined;
    state.keys = [newestKey];
    state.nowMs += minuteMs / 2;
    await ring.seal(text);
    await settle();
    expect(await ring.keyIds()).toEqual([idOf(newestKey)]);
  });

  test('keeps the old keys when the new ones are bad', async () => {
    const oldKey = newKey();
    const { state, ring } = setUp(oldKey);
    await ring.seal(text);
    state.keys = [oldKey, oldKey];
    state.nowMs += 10 * minuteMs;
    await ring.seal(text);
    await settle();
    expect(await ring.keyIds()).toEqual([idOf(oldKey)]);
    expect(state.reported).toEqual([expect.objectContaining({ name: 'KeyringError' })]);
  });
});

describe('reading the keys again on demand', () => {
  test('finds a key that is a second old, and is a reading that begins after the call', async () => {
    const [oldKey, newestKey] = [newKey(), newKey()];
    const { state, ring } = setUp(oldKey);
    const gate = Promise.withResolvers<void>();
    state.gate = gate.promise;
    const first = ring.seal(text);
    await settle();
    const reloads = [ring.reload(), ring.reload()];
    state.keys = [newestKey, oldKey];
    gate.resolve();
    await first;
    expect(await Promise.all(reloads)).toEqual([
      [idOf(newestKey), idOf(oldKey)],
      [idOf(newestKey), idOf(oldKey)],
    ]);
    expect(state.loads).toBe(2);
  });

  test('rejects when it fails, and the keys loaded before stay in use', async () => {
    const { state, ring } = setUp(newKey());
    const before = await ring.keyIds();
    state.failure = new Error('vault down');
    await expect(ring.reload()).rejects.toBe(state.failure);
    expect(await ring.keyIds()).toEqual(before);
  });
});

describe('sealing after a long rest', () => {
  test('waits for keys that are more than 15 minutes old, so that a key that has left the ring seals nothing', async () => {
    const [oldKey, newestKey] = [newKey(), newKey()];
    const { state, ring } = setUp(oldKey);
    await ring.seal(text);
    state.keys = [newestKey];
    state.nowMs += 15 * minuteMs;
    const sealed = await Promise.all([ring.seal(text), ring.seal(text)]);
    for (const each of sealed) expect((await setUp(newestKey).ring.openNamed(each)).keyId).toBe(idOf(newestKey));
    expect(state.loads).toBe(2);
  });

  test('goes on with the keys that there are when the vault is down, and asks it twice a minute at most', async () => {
    const { state, ring } = setUp(newKey());
    await ring.seal(text);
    state.failure = new Error('vault down');
    state.nowMs += 60 * minuteMs;
    for (let call = 0; call < 3; call += 1) expect(await ring.open(await ring.seal(text))).toEqual(text);
    expect(state.loads).toBe(2);
    expect(state.reported).toEqual([state.failure]);
  });
});

describe('reading the keys again when none opens a payload', () => {
  test('happens at once, so that a key made a second ago by another process is found', async () => {
    const [oldKey, newestKey] = [newKey(), newKey()];
    const { state, ring } = setUp(oldKey);
    await ring.seal(text);
    state.keys = [newestKey, oldKey];
    state.nowMs += 1000;
    expect(await ring.openNamed(await sealWith(newestKey))).toEqual({ plaintext: text, keyId: idOf(newestKey) });
    expect(state.loads).toBe(2);
  });

  test('is shared by everybody who misses at the same time', async () => {
    const [oldKey, newestKey] = [newKey(), newKey()];
    const { state, ring } = setUp(oldKey);
    await ring.seal(text);
    state.keys = [newestKey, oldKey];
    const sealed = await sealWith(newestKey);
    await Promise.all(Array.from({ length: 50 }, () => ring.open(sealed)));
    expect(state.loads).toBe(2);
  });

  test('happens at most every 30 s', async () => {
    const { state, ring } = setUp(newKey());
    const foreign = await sealWith(newKey());
    await ring.seal(text);
    for (let call = 0; call < 20; call += 1) {
      await expect(ring.open(foreign)).rejects.toMatchObject({ reason: 'no_key' });
    }
    expect(state.loads).toBe(2);
    state.nowMs += 30_000;
    await expect(ring.open(foreign)).rejects.toMatchObject({ reason: 'no_key' });
    expect(state.loads).toBe(3);
  });

  test('I11 says that the keys cannot be read, not that the payload is unreadable, while storage is down', async () => {
    const { state, ring } = setUp(newKey());
    const newestKey = newKey();
    const foreign = await sealWith(newestKey);
    await ring.seal(text);
    state.failure = new Error('vault down');
    for (let call = 0; call < 3; call += 1) {
      await expect(ring.open(foreign)).rejects.toBe(state.failure);
    }
    expect(state.loads).toBe(2);
    state.failure = undefined;
    state.keys = [newestKey];
    state.nowMs += 30_000;
    expect(await ring.open(foreign)).toEqual(text);
  });

  test('forgets a failed reading once the keys were read well', async () => {
    const { state, ring } = setUp(newKey());
    const foreign = await sealWith(newKey());
    await ring.seal(text);
    state.nowMs += 10 * minuteMs - 1;
    state.failure = new Error('vault down');
    await expect(ring.open(foreign)).rejects.toBe(state.failure);
    state.failure = undefined;
    state.nowMs += 1;
    await ring.seal(text);
    await settle();
    await expect(ring.open(foreign)).rejects.toMatchObject({ reason: 'no_key' });
    expect(state.loads).toBe(3);
  });

  test('never opens with a key that has since been taken out of the ring', async () => {
    const [oldKey, newestKey] = [newKey(), newKey()];
    const { state, ring } = setUp(newestKey, oldKey);
    const sealedOld = await sealWith(oldKey);
    expect(await ring.open(sealedOld)).toEqual(text);
    state.keys = [newestKey];
    state.nowMs += 10 * minuteMs;
    await ring.seal(text);
    await settle();
    await expect(ring.open(sealedOld)).rejects.toMatchObject({ reason: 'no_key' });
  });
});
