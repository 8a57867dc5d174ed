import { describe, expect, test } from 'vitest';
import { unknownProfile } from '../../../src/domain/provider.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { clientWith, json, providerAnswering } from './clients.ts';

const credentials = { client_id: 'app', client_secret: 'client-secret' };

describe('account_credentials', () => {
  const profile = { requests: { ...unknownProfile.requests, tokenParams: { account_id: 'acc-1' } } };
  const client = clientWith({ flowType: 'account_credentials', scopes: null, profile });

  test('sends its own grant type with what the provider adds, and keeps no refresh token', async () => {
    const { server, sent } = providerAnswering(() => json({ access_token: 'at', refresh_token: 'rt' }));
    const { tokens } = await server.mint(client);
    expect(Object.fromEntries(sent[0]?.form ?? [])).toEqual({
      grant_type: 'account_credentials',
      account_id: 'acc-1',
      ...credentials,
    });
    expect(tokens.refreshToken).toBeNull();
  });

  test('a refused grant is a refused request: there is none that could die', async () => {
    const { server } = providerAnswering(() => json({ error: 'invalid_grant' }, 400));
    await expect(server.mint(client)).rejects.toMatchObject({ code: 'provider_rejected_request' });
  });
});

describe('a pushed authorization request', () => {
  const client = clientWith({ endpoints: { pushedAuthorizationUrl: 'https://provider.example/par' } });
  const page = 'https://provider.example/authorize?response_type=code&client_id=app&scope=read&code_challenge=c';

  test('carries everything with the state, and the page nothing but client and reference', async () => {
    const { server, sent } = providerAnswering(() => json({ request_uri: 'urn:example:1', expires_in: 60 }, 201));
    const url = await server.pushAuthorization(client, page, new Secret('the-state'));
    expect(url).toBe('https://provider.example/authorize?client_id=app&request_uri=urn%3Aexample%3A1');
    expect(sent.map(({ url: at, method }) => [at, method])).toEqual([['https://provider.example/par', 'POST']]);
    expect(Object.fromEntries(sent[0]?.form ?? [])).toEqual({
      response_type: 'code',
      scope: 'read',
      code_challenge: 'c',
      state: 'the-state',
      ...credentials,
    });
  });

  test.each([
    [400, { error: 'invalid_request' }, 'provider_rejected_request'],
    [401, { error: 'invalid_client' }, 'provider_rejected_client'],
    [503, {}, 'provider_unavailable'],
    [201, { expires_in: 60 }, 'provider_answer_invalid'],
  ])('that is answered with %i %o fails as %s', async (status, body, code) => {
    const { server } = providerAnswering(() => json(body, status));
    await expect(server.pushAuthorization(client, page, new Secret('the-state'))).rejects.toMatchObject({
      code,
      message: expect.stringMatching(/^The authorization request could not be pushed\. The provider/),
    });
  });
});

describe('a device authorization', () => {
  const client = clientWith({
    flowType: 'device_code',
    endpoints: { deviceAuthorizationUrl: 'https://provider.example/device' },
  });
  const answer = { device_code: 'dc', user_code: 'AB-CD', verification_uri: 'https://provider.example/go' };

  test('is begun with the scopes', async () => {
    const { server, sent } = providerAnswering(() => json({ ...answer, expires_in: 900, interval: 7 }));
    const begun = await server.startDevice(client, 'read');
    expect(begun.deviceCode.reveal()).toBe('dc');
    expect(begun).toMatchObject({
      userCode: 'AB-CD',
      verificationUri: 'https://provider.example/go',
      verificationUriComplete: null,
      lifeSeconds: 900,
      intervalSeconds: 7,
    });
    expect(sent[0]?.url).toBe('https://provider.example/device');
    expect(Object.fromEntries(sent[0]?.form ?? [])).toEqual({ scope: 'read', ...credentials });
  });

  test('has the usual life and interval where none is stated, and an older name of the address will do', async () => {
    const { verification_uri: verification_url, ...rest } = answer;
    const { server } = providerAnswering(() => json({ ...rest, verification_url }));
    expect(await server.startDevice(client, null)).toMatchObject({
      verificationUri: 'https://provider.example/go',
      lifeSeconds: 600,
      intervalSeconds: 5,
    });
  });

  test.each([
    ['no page', { ...answer, verification_uri: 'javascript:alert(1)' }, 200, 'provider_answer_invalid'],
    ['no code', { ...answer, user_code: '' }, 200, 'provider_answer_invalid'],
    ['a refusal', { error: 'unauthorized_client' }, 400, 'provider_rejected_client'],
  ])('cannot be begun with %s', async (_title, body, status, code) => {
    const { server } = providerAnswering(() => json(body, status));
    await expect(server.startDevice(client, null)).rejects.toMatchObject({ code });
  });

  test('is asked about with the device code, and issues tokens', async () => {
    const { server, sent } = providerAnswering(() => json({ access_token: 'at', refresh_token: 'rt' }));
    const poll = await server.pollDevice(client, new Secret('dc'));
    expect(poll).toMatchObject({ kind: 'issued' });
    expect(Object.fromEntries(sent[0]?.form ?? [])).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
      device_code: 'dc',
      ...credentials,
    });
  });

  test.each([
    [400, 'authorization_pending', false],
    [200, 'authorization_pending', false],
    [428, 'authorization_pending', false],
    [400, 'slow_down', true],
    [503, 'server_error', true],
    [429, 'rate_limited', true],
  ])('is asked about again after %i %s', async (status, error, slowDown) => {
    const { server } = providerAnswering(() => json({ error }, status));
    expect(await server.pollDevice(client, new Secret('dc'))).toEqual({ kind: 'pending', slowDown });
  });

  test.each([
    ['access_denied', 'callback_rejected', 'access_denied'],
    ['expired_token', 'callback_rejected', 'authorization_failed'],
    ['invalid_grant', 'needs_reauthorization', undefined],
    ['invalid_client', 'provider_rejected_client', undefined],
  ])('ends with %s', async (error, code, reason) => {
    const { server } = providerAnswering(() => json({ error }, 400));
    const failure = server.pollDevice(client, new Secret('dc'));
    await expect(failure).rejects.toMatchObject({ code, ...(reason && { extra: { status_reason: reason } }) });
  });
});

describe('a token exchange', () => {
  const exchange = {
    subjectToken: new Secret('subject'),
    subjectTokenType: 'urn:ietf:params:oauth:token-type:jwt',
    requestedTokenType: null,
    audience: 'of-the-caller',
    resource: 'https://api.example',
    scopes: 'read',
  };

  test('sends what the caller asks for, and what the administrator has set before it', async () => {
    const { server, sent } = providerAnswering(() => json({ access_token: 'at', refresh_token: 'rt' }));
    const client = clientWith({ flowType: 'token_exchange', extraTokenParams: { audience: 'of-the-connection' } });
    const { tokens } = await server.exchangeToken(client, exchange);
    expect(tokens.refreshToken).toBeNull();
    expect(Object.fromEntries(sent[0]?.form ?? [])).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: 'subject',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      audience: 'of-the-connection',
      resource: 'https://api.example',
      scope: 'read',
      ...credentials,
    });
  });

  test('that is refused says what to check, and no grant is dead', async () => {
    const { server } = providerAnswering(() => json({ error: 'invalid_grant' }, 400));
    await expect(server.exchangeToken(clientWith({ flowType: 'token_exchange' }), exchange)).rejects.toMatchObject({
      code: 'provider_rejected_request',
      message:
        'The provider rejected the request (invalid_grant). Check subject_token, its type, the audience and the scopes.',
    });
  });
});
