import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FlowType } from '../../../src/domain/connection.ts';
import type { Provider } from '../../../src/domain/provider.ts';
import { bodyFor, createConnection, credentials, isAccepted, proven, type Stage, startStage } from './support.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage.stop());

const ownFlows: readonly FlowType[] = ['client_credentials', 'account_credentials', 'jwt_bearer'];
/** Each provider with each flow in which a client speaks for itself. */
const cases = proven.flatMap((provider) =>
  ownFlows.filter((flow) => provider.flows.includes(flow)).map((flow) => [provider.id, flow, provider] as const),
);

const nameOf = (what: string, id: string, flow: string) => `${what}-${id}-${flow}`;

function bodyOf(provider: Provider, flow: FlowType, name: string): Record<string, unknown> {
  const own = flow === 'jwt_bearer' ? { client_secret: null, private_key: stage.mock.privateKey } : {};
  return bodyFor(stage, provider, name, { oauth_flow_type: flow, scopes: null, ...own });
}

const metadata: Readonly<Record<string, Record<string, unknown>>> = {
  'github-app-installation': { permissions: { contents: 'read', metadata: 'read' } },
  salesforce: { instance_url: 'https://example.my.salesforce.com' },
  'salesforce-jwt': { instance_url: 'https://example.my.salesforce.com' },
  'zoom-s2s': { api_url: 'https://api.zoom.us' },
};

describe('a client that speaks for itself', () => {
  test('does so at the providers that must work', () => {
    expect(new Set(cases.map(([id]) => id))).toEqual(
      new Set([
        'adobe-ims-s2s',
        'github-app-installation',
        'gitlab',
        'google-service-account',
        'halopsa',
        'hubspot',
        'linear',
        'microsoft',
        'oidc',
        'salesforce',
        'salesforce-jwt',
        'shopify',
        'xero',
        'zoom-s2s',
      ]),
    );
  });

  test.each(cases)('gets credentials of %s by %s, and anew when they lapse', async (id, flow, provider) => {
    const name = nameOf('own', id, flow);
    await createConnection(stage, bodyOf(provider, flow, name));
    const first = await credentials(stage, name);
    expect(first, `${first.text} ${JSON.stringify(stage.mock.calls.at(-1))}`).toMatchObject({
      status: 200,
      json: { method: flow, metadata: metadata[id] ?? {} },
    });
    expect(await isAccepted(stage, provider, first.json.access_token)).not.toBe(false);
    const again = await credentials(stage, name);
    expect(again.json).toEqual({ ...first.json, method: 'saved_token' });

    stage.broker.clock.advance(Date.parse(first.json.expires_at) - stage.broker.clock.now() + 1000);
    const next = await credentials(stage, name);
    expect(next, next.text).toMatchObject({ status: 200, json: { method: flow } });
    expect(next.json.access_token).not.toBe(first.json.access_token);
  });

  test.each(cases)('is told when %s rejects it (%s), and does not ask on', async (id, flow, provider) => {
    const name = nameOf('wrong', id, flow);
    const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    const wrong =
      flow === 'jwt_bearer'
        ? { private_key: stranger.export({ type: 'pkcs8', format: 'pem' }).toString() }
        : { client_secret: 'wrong' };
    await createConnection(stage, { ...bodyOf(provider, flow, name), ...wrong });
    const calls = stage.tokenCalls(id);
    for (let read = 0; read < 2; read += 1) {
      const failed = await credentials(stage, name);
      expect(failed, failed.text).toMatchObject({
        status: 503,
        json: {
          error: 'connection_not_ready',
          status: 'failed',
          status_reason: expect.stringMatching(/^provider_rejected_/),
        },
      });
    }
    expect(stage.tokenCalls(id) - calls).toBe(1);
  });

  test.each(cases)('waits where %s limits the rate (%s), and a living token is served', async (id, flow, provider) => {
    const name = nameOf('limit', id, flow);
    await createConnection(stage, bodyOf(provider, flow, name));
    stage.mock.failNext(id, 'rate_limited');
    const limited = await credentials(stage, name);
    expect(limited, limited.text).toMatchObject({ status: 503, json: { error: 'provider_unavailable' } });
    expect(limited.headers.get('retry-after')).toMatch(/^\d+$/);
    stage.broker.clock.advance(60_000);
    const first = await credentials(stage, name);
    expect(first, first.text).toMatchObject({ status: 200, json: { method: flow } });
    stage.broker.clock.advance((Date.parse(first.json.expires_at) - stage.broker.clock.now()) * 0.7);
    stage.mock.failNext(id, 'rate_limited');
    const alive = await credentials(stage, name, '?force_refresh=true');
    expect(alive, alive.text).toMatchObject({ status: 200, json: { access_token: first.json.access_token } });
    stage.broker.clock.advance(60_000);
    await credentials(stage, name);
  });
});

describe('a client that signs', () => {
  const signing = proven.filter(
    ({ clientAuth, flows }) => clientAuth.includes('private_key_jwt') && flows.includes('client_credentials'),
  );

  test.each(signing.map((provider) => [provider.id, provider] as const))(
    'is known to %s by its signature',
    async (id, provider) => {
      const own = { client_auth: 'private_key_jwt', client_secret: null, private_key: stage.mock.privateKey };
      const body = { ...bodyOf(provider, 'client_credentials', `signs-${id}`), ...own };
      await createConnection(stage, body);
      const first = await credentials(stage, `signs-${id}`);
      expect(first, `${first.text} ${JSON.stringify(stage.mock.calls.at(-1))}`).toMatchObject({ status: 200 });
    },
  );
});
