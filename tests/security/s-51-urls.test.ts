import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkUrl } from '../../src/adapters/outbound-http/url-policy.ts';
import { closeServer, listenOnLoopback } from '../../src/host/services/loopback-server.ts';
import { rawTable, rowOf, serviceBody } from '../support/connections.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { refusedUrls } from '../unit/adapters/outbound-http/url-vectors.ts';

/** What the policy of production refuses and this broker, whose storage is on loopback, refuses as well. */
const urls = refusedUrls.filter((url) => url !== '' && checkUrl(url, { allowInsecureLoopback: true }) !== undefined);

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
});
afterAll(() => broker.stop());

async function createService(name: string, changes: Record<string, unknown> = {}): Promise<void> {
  const made = await broker.call('POST', '/api/oauth/connections', { body: serviceBody(broker, name, changes) });
  expect(made.status, made.text).toBe(201);
}

/** As a version with a weaker check, or somebody with the storage's key, would have written it. */
async function patch(name: string, columns: Readonly<Record<string, string>>): Promise<void> {
  await rawTable(broker, 'OAuthConnections').updateEntity({ partitionKey: 'ORG1', rowKey: name, ...columns }, 'Merge');
}

describe('S-51 URL vectors', () => {
  it('are 60 and more', () => {
    expect(urls.length).toBeGreaterThanOrEqual(60);
  });

  it.each(['token_url', 'revocation_url', 'userinfo_url', 'test_url', 'issuer', 'authorization_url'])(
    'are refused as %s when a connection is created or changed, and not repeated',
    async (field) => {
      const name = `saved-${field.replace('_', '-')}`;
      await createService(name);
      const before = await rowOf(broker, name);
      for (const url of urls) {
        const other = await broker.call('POST', '/api/oauth/connections', {
          body: serviceBody(broker, `${name}-2`, { [field]: url }),
        });
        const changed = await broker.call('PUT', `/api/oauth/connections/${name}`, {
          body: { [field]: url, client_secret: 'again' },
        });
        for (const answer of [other, changed]) {
          expect(answer, url).toMatchObject({
            status: 400,
            json: { error: 'url_not_allowed', details: [{ path: field }] },
          });
          if (url.length > 12) expect(answer.text).not.toContain(url);
        }
      }
      expect(await rowOf(broker, name)).toEqual(before);
      expect(await rowOf(broker, `${name}-2`)).toBeUndefined();
    },
  );

  it('are refused when called, if one got into storage past that check', async () => {
    const columns = Object.keys((await createdRow('column')) ?? {}).filter((column) => /token_url/.test(column));
    expect(columns).toEqual(['token_url']);
    // Some texts are only written badly: as a URL they lead to a public server. tests/unit/adapters/outbound-http has them.
    const hrefOf = (url: string) => (URL.canParse(url) ? new URL(url).href : url);
    const called = urls.filter((url) => checkUrl(hrefOf(url), { allowInsecureLoopback: true }) !== undefined);
    expect(called.length).toBeGreaterThanOrEqual(60);
    for (const [index, url] of called.entries()) {
      const name = `called-${index}`;
      await createService(name);
      await patch(name, { token_url: url });
      const answer = await broker.call('GET', `/api/oauth/credentials/${name}`);
      expect(answer.status, url).toBe(503);
      expect(answer.json, `${url} ${answer.text}`).toMatchObject({
        error: 'connection_not_ready',
        status_reason: 'url_not_allowed',
      });
    }
  });

  async function createdRow(name: string) {
    await createService(name);
    return rowOf(broker, name);
  }
});

describe('S-53 a redirect of the token endpoint', () => {
  it.each([301, 302, 303, 307, 308])('with %i reaches nobody, and the refresh token goes nowhere', async (status) => {
    let reached = 0;
    const canary = createServer((_request, response) => {
      reached += 1;
      response.end('{}');
    });
    const port = await listenOnLoopback(canary, { name: 'canary', port: 0 });
    const received: string[] = [];
    const endpoint = createServer((request, response) => {
      received.push(request.url ?? '');
      response.writeHead(status, { location: `http://127.0.0.1:${port}/steal` }).end();
    });
    const tokenPort = await listenOnLoopback(endpoint, { name: 'redirecting', port: 0 });
    const name = `redirecting-${status}`;
    await createService(name, { token_url: `http://127.0.0.1:${tokenPort}/token` });
    const answer = await broker.call('GET', `/api/oauth/credentials/${name}`);
    expect(answer.status, answer.text).toBe(503);
    expect(answer.text).not.toContain('steal');
    expect(received).toEqual(['/token']);
    expect(reached).toBe(0);
    await Promise.all([closeServer(canary), closeServer(endpoint)]);
  });
});
