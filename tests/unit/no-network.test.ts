import { lookup } from 'node:dns/promises';
import { createServer, request } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';

const off = 'The network is off in this test.';

describe('the network', () => {
  test('is off for fetch', async () => {
    await expect(fetch('http://127.0.0.1:49151/')).rejects.toMatchObject({ cause: { message: off } });
  });

  test('is off for node:http and node:net', () => {
    expect(() => request('http://127.0.0.1:49151/')).toThrow(off);
    expect(() => connect(9, '127.0.0.1')).toThrow(off);
    expect(() => createServer().listen(0, '127.0.0.1')).toThrow(off);
  });

  test('is off for names', () => {
    expect(() => lookup('example.com')).toThrow(off);
  });
});
