import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openFernet, parseFernetKey } from '../../src/crypto/fernet.ts';
import { credentialsOf } from '../functions/support/authorizing.ts';
import { answerNext, createGranted } from '../functions/support/granted.ts';
import { rowOf } from '../support/connections.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { startWatchedTables, type WatchedTables } from '../support/watched-tables.ts';

let tables: WatchedTables;
let broker: TestBroker;
let beside: TestBroker;
beforeAll(async () => {
  tables = await startWatchedTables();
  const key = randomBytes(32).toString('base64url');
  const settings = { OAuthStorage: tables.connectionString, OAUTH_TOKEN_ENCRYPTION_KEY: key };
  broker = await startTestBroker({ settings });
  beside = await startTestBroker({ settings, beside: broker });
});
afterAll(async () => {
  await beside.stop();
  await broker.stop();
  await tables.stop();
});

/** What the columns of a row hold, opened with the key. */
async function tokensIn(name: string): Promise<string> {
  const row = (await rowOf(broker, name)) ?? {};
  const sealed = Buffer.concat(Object.values(row).filter((cell) => cell instanceof Uint8Array));
  const [key] = broker.settings.encryptionKeys;
  if (key === undefined) throw new Error('the broker has no key');
  return Buffer.from(openFernet(parseFernetKey(key), sealed)).toString();
}

describe('S-34 while storage has not confirmed a new token', () => {
  it('nobody gets it, here or in another process, and everybody once it is confirmed', async () => {
    await createGranted(broker, 'slow', { expires_in: 300 });
    broker.clock.advance(300_000);
    const tokens = answerNext(broker);
    const commit = tables.hold(/OAuthConnections.*sealed_0/s);
    const given: string[] = [];
    const read = (process: TestBroker) => credentialsOf(process, 'slow').then((answer) => void given.push(answer.text));
    const readers = [
      ...Array.from({ length: 10 }, () => read(broker)),
      ...Array.from({ length: 3 }, () => read(beside)),
    ];
    await commit.waiting();
    await new Promise((resolve) => void setTimeout(resolve, 2000));
    expect(given).toEqual([]);
    expect(await tokensIn('slow')).not.toContain(tokens.access_token);
    commit.release();
    await Promise.all(readers);
    expect(given).toHaveLength(13);
    for (const text of given) expect(text).toContain(tokens.access_token);
  });
});

describe('S-35 the refresh token that a provider', () => {
  it('replaces is in the row no more, and neither is the old access token', async () => {
    const old = await createGranted(broker, 'replaced', { expires_in: 300 });
    broker.clock.advance(300_000);
    const tokens = answerNext(broker);
    await credentialsOf(broker, 'replaced');
    const kept = await tokensIn('replaced');
    for (const token of [tokens.access_token, tokens.refresh_token]) expect(kept).toContain(token);
    for (const token of [old.access_token, old.refresh_token]) expect(kept).not.toContain(token);
  });

  it('replaces by a shorter one leaves nothing of the longer one in any column', async () => {
    const long = 'L'.repeat(60_000);
    await createGranted(broker, 'shorter', { expires_in: 300, access_token: long, refresh_token: long });
    broker.clock.advance(300_000);
    answerNext(broker);
    await credentialsOf(broker, 'shorter');
    expect(await tokensIn('shorter')).not.toContain('LLLL');
  });

  it('does not repeat stays', async () => {
    const old = await createGranted(broker, 'kept', { expires_in: 300 });
    broker.clock.advance(300_000);
    const tokens = answerNext(broker, { refresh_token: undefined });
    await credentialsOf(broker, 'kept');
    const kept = await tokensIn('kept');
    for (const token of [tokens.access_token, old.refresh_token]) expect(kept).toContain(token);
  });
});
