import { describe, expect, it } from 'vitest';
import {
  type ConnectionConfig,
  changesEndpoints,
  missingScopes,
  noEndpoints,
  scopeList,
  scopeParameter,
} from '../../../src/domain/connection.ts';

const config: ConnectionConfig = {
  flowType: 'authorization_code',
  provider: null,
  variables: {},
  clientId: 'id',
  clientAuth: 'client_secret_basic',
  endpoints: {
    ...noEndpoints,
    authorizationUrl: 'https://a.example.com/authorize',
    tokenUrl: 'https://a.example.com/token',
    issuer: null,
    revocationUrl: null,
    userinfoUrl: null,
    testUrl: null,
  },
  scopes: 'read,write',
  scopeSeparator: 'space',
  extraAuthorizeParams: { audience: 'api', prompt: 'consent' },
  extraTokenParams: {},
  fallbackClientCredentials: false,
  clientSecretExpiresAt: null,
  description: 'one',
  tags: ['sales'],
  sharedWith: [],
};

describe('scopes', () => {
  it('are read with commas, spaces or both, and sent with the separator of the provider', () => {
    expect(scopeList(' read, write  admin,')).toEqual(['read', 'write', 'admin']);
    expect(scopeParameter(config)).toBe('read write');
    expect(scopeParameter({ ...config, scopeSeparator: 'comma' })).toBe('read,write');
    expect(scopeParameter({ ...config, scopes: ' ' })).toBeUndefined();
  });

  it('are missing when they were asked for and not granted, and not when the provider said nothing', () => {
    expect(missingScopes('read,write', { grantedScopes: 'read' })).toEqual(['write']);
    expect(missingScopes('read,write', { grantedScopes: null })).toEqual([]);
  });

  it('are not missing where a refresh token says that offline_access was granted', () => {
    const grantedScopes = 'read';
    expect(missingScopes('read offline_access', { grantedScopes, hasRefreshToken: true })).toEqual([]);
    expect(missingScopes('read offline_access', { grantedScopes })).toEqual(['offline_access']);
  });

  it('are not missing where a refresh token says that the provider’s own scope for it was granted', () => {
    const spelling = { aliases: {}, offline: 'forever' };
    expect(missingScopes('read forever', { grantedScopes: 'read', hasRefreshToken: true }, spelling)).toEqual([]);
    expect(missingScopes('read forever', { grantedScopes: 'read' }, spelling)).toEqual(['forever']);
  });

  it('are the same under another name, whichever of the two was asked for', () => {
    const spelling = { aliases: { 'https://scopes.example/email': 'email' }, offline: null };
    const names = ['email', 'https://scopes.example/email'];
    for (const asked of names) {
      for (const grantedScopes of names) expect(missingScopes(asked, { grantedScopes }, spelling)).toEqual([]);
      expect(missingScopes(asked, { grantedScopes: 'read' }, spelling)).toEqual([asked]);
    }
  });
});

describe('changesEndpoints', () => {
  it.each<[string, Partial<ConnectionConfig>]>([
    ['the client', { clientId: 'other' }],
    ['the client authentication', { clientAuth: 'client_secret_post' }],
    ['the scopes', { scopes: 'read' }],
    ['the separator of scopes', { scopeSeparator: 'comma' }],
    ['a parameter of the authorization', { extraAuthorizeParams: { audience: 'other', prompt: 'consent' } }],
    ['a parameter of the token request', { extraTokenParams: { resource: 'x' } }],
    ...(['authorizationUrl', 'tokenUrl', 'issuer', 'revocationUrl', 'userinfoUrl', 'testUrl'] as const).map(
      (name): [string, Partial<ConnectionConfig>] => [
        name,
        { endpoints: { ...config.endpoints, [name]: 'https://b.example.com/' } },
      ],
    ),
  ])('is so for %s', (_, change) => {
    expect(changesEndpoints(config, { ...config, ...change })).toBe(true);
  });

  it('is not so for labels, and not for the same said otherwise', () => {
    const said = { scopes: 'read write', extraAuthorizeParams: { prompt: 'consent', audience: 'api' } };
    expect(changesEndpoints(config, { ...config, ...said, description: 'two', tags: [], sharedWith: ['*'] })).toBe(
      false,
    );
  });
});
