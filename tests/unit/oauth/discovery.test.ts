import { describe, expect, it } from 'vitest';
import { json, providerAnswering } from './clients.ts';

const issuer = 'https://login.example.com/tenant';
const metadata = {
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  revocation_endpoint: `${issuer}/revoke`,
  introspection_endpoint: `${issuer}/introspect`,
  userinfo_endpoint: `${issuer}/userinfo`,
  device_authorization_endpoint: `${issuer}/device`,
  pushed_authorization_request_endpoint: `${issuer}/par`,
};
const notFound = () => json({}, 404);

describe('S-22 the metadata of an issuer', () => {
  it('gives every endpoint, by OpenID Connect Discovery', async () => {
    const { server, sent } = providerAnswering(() => json(metadata));
    expect(await server.discover(issuer)).toEqual({
      issuer,
      authorizationUrl: `${issuer}/authorize`,
      tokenUrl: `${issuer}/token`,
      refreshUrl: null,
      revocationUrl: `${issuer}/revoke`,
      introspectionUrl: `${issuer}/introspect`,
      userinfoUrl: `${issuer}/userinfo`,
      testUrl: `${issuer}/userinfo`,
      deviceAuthorizationUrl: `${issuer}/device`,
      pushedAuthorizationUrl: `${issuer}/par`,
    });
    expect(sent.map(({ url }) => url)).toEqual([`${issuer}/.well-known/openid-configuration`]);
  });

  it('is looked for by RFC 8414 where OpenID Connect knows nothing', async () => {
    const { server, sent } = providerAnswering(({ url }) =>
      url.includes('oauth-authorization-server') ? json(metadata) : notFound(),
    );
    expect((await server.discover(issuer)).tokenUrl).toBe(`${issuer}/token`);
    expect(sent.at(-1)?.url).toBe('https://login.example.com/.well-known/oauth-authorization-server/tenant');
  });

  it.each([
    ['a slash more', `${issuer}/`],
    ['another case', issuer.replace('login', 'Login')],
    ['another host', 'https://login.example.org/tenant'],
    ['nothing', undefined],
  ])('is refused when it names %s', async (_, named) => {
    const { server } = providerAnswering(() => json({ ...metadata, issuer: named }));
    await expect(server.discover(issuer)).rejects.toMatchObject({
      code: 'provider_answer_invalid',
      message: 'The issuer names another issuer in its metadata. Check issuer.',
    });
  });

  it.each([
    ['names no token endpoint in its metadata', () => json({ ...metadata, token_endpoint: undefined })],
    ['answers with something else than metadata', () => new Response('<html>')],
    ['has no metadata: give token_url and the other endpoints', notFound],
  ])('is refused when the issuer %s', async (what, answer) => {
    const { server } = providerAnswering(answer);
    await expect(server.discover(issuer)).rejects.toMatchObject({
      code: 'provider_answer_invalid',
      message: `The issuer ${what}. Check issuer.`,
    });
  });

  it.each([429, 500, 503])('can be asked for again after status %d', async (status) => {
    const { server, sent } = providerAnswering(() => json({}, status));
    await expect(server.discover(issuer)).rejects.toMatchObject({ code: 'provider_unavailable' });
    expect(sent).toHaveLength(1);
  });
});
