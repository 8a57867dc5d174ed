import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { credentialsOf } from '../functions/support/authorizing.ts';
import { createGranted } from '../functions/support/granted.ts';
import { rawTable, rowOf } from '../support/connections.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';

let broker: TestBroker;
let sealed: Buffer;
let accessToken: string;
beforeAll(async () => {
  broker = await startTestBroker();
  accessToken = (await createGranted(broker, 'crm', { access_token: 'a'.repeat(3000) })).access_token;
  sealed = Buffer.from((await rowOf(broker, 'crm'))?.sealed_0 as Uint8Array);
});
afterAll(() => broker.stop());

async function plant(bytes: Uint8Array): Promise<void> {
  const row = { partitionKey: 'ORG1', rowKey: 'crm', sealed_0: bytes };
  await rawTable(broker, 'OAuthConnections').updateEntity(row, 'Merge');
}

/** An answer without what differs each time. */
async function answered(method: string, path: string, body?: unknown): Promise<string> {
  const { status, json } = await broker.call(method, path, body === undefined ? {} : { body });
  const { correlation_id, ...said } = json;
  return JSON.stringify({ status, ...said });
}

const read = () => answered('GET', '/api/oauth/credentials/crm');
const refresh = () => answered('POST', '/api/oauth/connections/crm/refresh', {});

const refusal = JSON.stringify({
  status: 503,
  error: 'grant_unreadable',
  message: 'The stored tokens cannot be read. Authorize the connection again.',
});

const flipped = (at: number, mask = 0x01) => {
  const copy = Buffer.from(sealed);
  copy.writeUInt8(copy.readUInt8(at) ^ mask, at);
  return copy;
};

describe('S-42 stored tokens that somebody tampered with', () => {
  it('are refused whichever 37th byte was changed, in the same words, and nothing is sent to the provider', async () => {
    const calls = broker.server.tokens.count();
    const places = Array.from({ length: Math.ceil(sealed.length / 37) }, (_, index) => index * 37);
    expect(places.length).toBeGreaterThan(80);
    for (const at of places) {
      await plant(flipped(at, 1 << (at % 8)));
      expect(await read(), `byte ${at}`).toBe(refusal);
    }
    expect(broker.server.tokens.count()).toBe(calls);
  });

  it.each<[string, () => Uint8Array]>([
    ['a wrong MAC', () => flipped(sealed.length - 1)],
    ['a wrong padding', () => flipped(sealed.length - 33)],
    ['a wrong IV', () => flipped(10)],
    ['another version of Fernet', () => flipped(0)],
    ['another time', () => flipped(5)],
    ['a missing end', () => sealed.subarray(0, -16)],
    ['bytes behind the end', () => Buffer.concat([sealed, Buffer.alloc(16)])],
    ['nothing in it', () => Buffer.alloc(0)],
    ['text in it', () => Buffer.from('access_token=x')],
  ])('with %s are refused alike, for reading and for refreshing', async (_what, forge) => {
    const calls = broker.server.tokens.count();
    await plant(forge());
    expect([await read(), await refresh()]).toEqual([refusal, refusal]);
    expect(broker.server.tokens.count()).toBe(calls);
  });

  it('are served again once they are put back', async () => {
    await plant(sealed);
    expect((await credentialsOf(broker, 'crm')).json.access_token).toBe(accessToken);
  });
});
