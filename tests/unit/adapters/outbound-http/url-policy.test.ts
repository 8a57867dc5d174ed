import { describe, expect, test } from 'vitest';
import { checkUrl, createUrlPolicy } from '../../../../src/adapters/outbound-http/url-policy.ts';
import { allowedUrls, refusedUrls } from './url-vectors.ts';

describe('S-51 URLs as they are saved', () => {
  const policy = createUrlPolicy({ allowInsecureLoopback: false });

  test('there are at least 60 vectors, each there once', () => {
    expect(new Set(refusedUrls).size).toBe(refusedUrls.length);
    expect(refusedUrls.length).toBeGreaterThanOrEqual(60);
  });

  test.each(refusedUrls)('%j is refused', (url) => {
    expect(policy.problem(url)).toEqual(expect.any(String));
  });

  test.each(allowedUrls)('%j may be saved', (url) => {
    expect(policy.problem(url)).toBeUndefined();
  });

  test.each([
    ['http://provider.example.com/', 'must begin with https://'],
    ['not a url', 'has white space, control characters or a backslash in it'],
    ['https://10.0.0.1/', 'names an address that is not public'],
    ['https://[fe80::1]/', 'names an address that is not public'],
    ['https://intranet/', 'has a host name without a dot'],
    ['https://a.internal/', 'names a reserved host'],
    ['https://provider.example.com./', 'has a host name that ends with a dot'],
    ['https://user:password@provider.example.com/', 'carries a user name or a password'],
    ['https://provider.example.com/#x', 'has a fragment'],
    ['https://provider.example.com:0/', 'names port 0'],
    ['https://provider.example.com:99999/', 'is not a URL'],
  ])('%j is told what is wrong with it', (url, problem) => {
    expect(policy.problem(url)).toBe(problem);
  });
});

describe('with allowInsecureLoopback', () => {
  const check = (url: string) => checkUrl(url, { allowInsecureLoopback: true });

  test.each([
    'http://127.0.0.1:3000/token',
    'http://localhost:3000/token',
    'http://[::1]:3000/token',
    'https://127.0.0.1/',
  ])('%s is allowed', (url) => {
    expect(check(url)).toBeUndefined();
  });

  test.each([
    'http://provider.example.com/token',
    'http://10.0.0.1/',
    'http://169.254.169.254/',
    'https://169.254.169.254/',
    'http://localhost.example.com/',
    'http://anything.localhost/',
    'http://127.0.0.1.example.com/',
    'http://0.0.0.0/',
    'http://127.0.0.1:0/',
    'http://user@127.0.0.1/',
    'ftp://127.0.0.1/',
    'https://printer.local/',
  ])('%s is refused all the same', (url) => {
    expect(check(url)).toEqual(expect.any(String));
  });
});
