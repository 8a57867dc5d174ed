import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { credentialsOf, detailOf } from '../functions/support/authorizing.ts';
import { answerNext, createRefreshing } from '../functions/support/granted.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
});
afterAll(() => broker.stop());

const kilobyte = 1024;
const textOf = (bytes: number) =>
  randomBytes(Math.ceil((bytes * 3) / 4))
    .toString('base64url')
    .slice(0, bytes);

describe('S-49 a token of', () => {
  it.each([1, 8, 24.5, 24.6, 33, 64, 190])(
    '%d KB comes back to the byte, as access token and in use as refresh token',
    async (size) => {
      const bytes = Math.round(size * kilobyte);
      const name = `fits-${String(size).replace('.', '-')}`;
      await createRefreshing(broker, name);
      const long = textOf(bytes);
      answerNext(broker, { access_token: long, expires_in: 300 });
      expect((await credentialsOf(broker, name)).json.access_token).toBe(long);
      broker.clock.advance(300_000);
      const refresh = textOf(bytes);
      answerNext(broker, { refresh_token: refresh, expires_in: 300 });
      expect((await credentialsOf(broker, name)).status).toBe(200);
      broker.clock.advance(300_000);
      answerNext(broker);
      expect((await credentialsOf(broker, name)).status).toBe(200);
      const sent = [...broker.server.tokens.refreshSubmissions().keys()];
      expect(sent).toContain(await sha256(refresh));
    },
  );

  it.each([200, 900])('%d KB is refused in words, and what was there stays: nothing is cut', async (size) => {
    const name = `too-large-${size}`;
    await createRefreshing(broker, name);
    const first = answerNext(broker, { expires_in: 3600 });
    await credentialsOf(broker, name);
    answerNext(broker, { access_token: textOf(size * kilobyte) });
    const answer = await broker.call('POST', `/api/oauth/connections/${name}/refresh`, { body: {} });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.json.error).toMatch(/^(tokens_too_large|provider_answer_invalid)$/);
    expect(answer.text.length).toBeLessThan(1000);
    expect((await credentialsOf(broker, name)).json.access_token).toBe(first.access_token);
    expect((await detailOf(broker, name)).json).toMatchObject({ status: 'completed', has_refresh_token: true });
  });
});

async function sha256(text: string): Promise<string> {
  return Buffer.from(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))).toString('hex');
}
