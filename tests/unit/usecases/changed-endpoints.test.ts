import { describe, expect, test } from 'vitest';
import { createUrlPolicy } from '../../../src/adapters/outbound-http/url-policy.ts';
import { toOrgId } from '../../../src/domain/ids.ts';
import { configOf, createBody } from '../../../src/functions/schemas/connection-input.ts';
import { knownProviders } from '../../../src/providers/known-providers.ts';
import { changedEndpoints, completeConfig } from '../../../src/usecases/connections/complete-config.ts';

const needs = {
  providers: knownProviders,
  urlPolicy: createUrlPolicy({ allowInsecureLoopback: false }),
  authorizationServer: { discover: () => Promise.reject(new Error('nothing is discovered')) } as never,
};

const shop = await completeConfig(
  needs,
  configOf(
    createBody.parse({
      connection_name: 'shop',
      provider: 'shopify',
      oauth_flow_type: 'authorization_code',
      client_id: 'id',
      client_secret: 'secret',
      variables: { shop: 'example-shop', version: '2026-04' },
    }),
    toOrgId('ORG1'),
  ),
);
const withTest = (testUrl: string | null) => ({ ...shop, endpoints: { ...shop.endpoints, testUrl } });

describe('the endpoints of a changed connection', () => {
  test('do not gain a test endpoint that the catalogue has gained since', async () => {
    const before = withTest(null);
    const after = await changedEndpoints(needs, before, { ...before, description: 'Orders' });
    expect(after).toEqual(before.endpoints);
  });

  test('have the catalogue’s test endpoint again when the change clears another', async () => {
    const before = withTest('https://example-shop.myshopify.com/ping');
    expect(await changedEndpoints(needs, before, withTest(null))).toEqual(shop.endpoints);
    expect(await changedEndpoints(needs, before, before)).toEqual(before.endpoints);
    expect(shop.endpoints.testUrl).not.toBeNull();
  });

  test('stay as they are when the same variables come in another order', async () => {
    const before = { ...shop, endpoints: { ...shop.endpoints, userinfoUrl: 'https://example.com/of-then' } };
    const variables = Object.fromEntries(Object.entries(shop.variables).reverse());
    expect(Object.keys(variables)).not.toEqual(Object.keys(shop.variables));
    expect(await changedEndpoints(needs, before, { ...before, variables })).toEqual(before.endpoints);
  });

  test('follow variables that have changed', async () => {
    const variables = { ...shop.variables, shop: 'other-shop' };
    const { tokenUrl } = await changedEndpoints(needs, shop, { ...shop, variables });
    expect(tokenUrl).toBe('https://other-shop.myshopify.com/admin/oauth/access_token');
  });
});
