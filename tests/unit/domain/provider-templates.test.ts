import { describe, expect, it } from 'vitest';
import { mayRetryRefresh, type Provider } from '../../../src/domain/provider.ts';
import {
  fillTemplate,
  providerEndpoints,
  providerProfile,
  variableProblems,
} from '../../../src/domain/provider-templates.ts';
import { defineProvider } from '../../../src/providers/define-provider.ts';

const provider: Provider = defineProvider({
  id: 'sample',
  name: 'Sample',
  tier: 'listed',
  flows: ['authorization_code'],
  clientAuth: ['client_secret_post'],
  rotation: 'strict',
  variables: {
    subdomain: { label: 'Subdomain', pattern: '[a-z0-9-]{1,20}', example: 'acme' },
    environment: {
      label: 'Environment',
      pattern: '[a-z]+',
      example: 'stage',
      default: 'production',
      choices: { production: 'login.sample.example', stage: 'login-stage.sample.example' },
    },
    tenant: { label: 'Tenant', pattern: '[a-z]*', example: 'one', default: '' },
  },
  endpoints: {
    authorization: 'https://{environment}/authorize',
    token: 'https://{subdomain}.sample.example/token?tenant={tenant}&v=2',
  },
  requests: { tokenParams: { tenant: '{tenant}', account: '{subdomain}' }, authorizeParams: { app: '{subdomain}' } },
});

describe('a provider’s addresses', () => {
  it('are filled with what the administrator gave, and with the default of a choice', () => {
    expect(providerEndpoints(provider, { subdomain: 'acme', tenant: 'one' })).toMatchObject({
      authorizationUrl: 'https://login.sample.example/authorize',
      tokenUrl: 'https://acme.sample.example/token?tenant=one&v=2',
      revocationUrl: null,
    });
  });

  it('follow the choice that was made', () => {
    const { authorizationUrl } = providerEndpoints(provider, { subdomain: 'acme', environment: 'stage' });
    expect(authorizationUrl).toBe('https://login-stage.sample.example/authorize');
  });

  it('lose a query parameter whose variable is empty', () => {
    const { tokenUrl } = providerEndpoints(provider, { subdomain: 'acme' });
    expect(tokenUrl).toBe('https://acme.sample.example/token?v=2');
  });
});

it('a provider’s parameters are filled in the same way, and empty ones are not sent', () => {
  const { requests } = providerProfile(provider, { subdomain: 'acme' });
  expect(requests.tokenParams).toEqual({ account: 'acme' });
  expect(requests.authorizeParams).toEqual({ app: 'acme' });
});

it('a name that nobody fills in stays as it is', () => {
  expect(fillTemplate('{a}/{b}', { a: '1' })).toBe('1/{b}');
  expect(fillTemplate('{constructor}', {})).toBe('{constructor}');
});

describe('variables', () => {
  it('may be left to their defaults', () => {
    expect(variableProblems(provider, { subdomain: 'acme' })).toEqual([]);
  });

  it.each([
    ['missing', {}, 'variables.subdomain', 'is needed'],
    ['unknown', { subdomain: 'acme', host: 'x' }, 'variables.host', 'is not a variable of the provider'],
    [
      'not a choice',
      { subdomain: 'acme', environment: 'qa' },
      'variables.environment',
      'must be one of: production, stage',
    ],
    ['a way to another host', { subdomain: 'evil.example/' }, 'variables.subdomain', 'must match ^[a-z0-9-]{1,20}$'],
    ['a second line', { subdomain: 'acme\nevil' }, 'variables.subdomain', 'must match ^[a-z0-9-]{1,20}$'],
    [
      'a name of every object',
      { subdomain: 'acme', environment: 'constructor' },
      'variables.environment',
      'must be one of',
    ],
  ])('%s: the path and the reason are told', (_, given, path, message) => {
    expect(variableProblems(provider, given)).toEqual([{ path, message: expect.stringContaining(message) }]);
  });
});

describe('whether an interrupted refresh may be tried again at once', () => {
  it.each([
    ['none', null, Number.POSITIVE_INFINITY, true],
    ['overlap', null, Number.POSITIVE_INFINITY, true],
    ['overlap', 60, 59_999, true],
    ['overlap', 60, 60_000, false],
    ['overlap', 60, Number.POSITIVE_INFINITY, false],
    ['strict', null, 0, false],
    ['unknown', null, 0, false],
  ] as const)(
    'rotation %s with an overlap of %s s, after %s ms: %s',
    (rotation, overlapSeconds, elapsedMs, expected) => {
      expect(mayRetryRefresh({ rotation, overlapSeconds }, elapsedMs)).toBe(expected);
    },
  );
});
