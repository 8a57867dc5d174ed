import { describe, expect, test } from 'vitest';
import { tokenMetadata } from '../../../src/oauth/token-metadata.ts';

describe('the metadata of a token', () => {
  test('leaves out every field whose name says that it is secret, at any depth', () => {
    const rest = {
      team: { id: 'T1', bot: { access_token: 'a', name: 'b' } },
      refreshToken: 'r',
      token: 't',
      client_secret: 's',
      api_key: 'k',
      users: [{ password: 'p', id: 1 }],
    };
    expect(tokenMetadata(rest, [])).toEqual({ team: { id: 'T1', bot: { name: 'b' } }, users: [{ id: 1 }] });
  });

  test('leaves out a token that hides under another name', () => {
    const rest = { link: 'https://x.example/?t=at-1', list: ['at-1', 'ok'], id: 'x' };
    expect(tokenMetadata(rest, ['at-1'])).toEqual({ list: ['ok'], id: 'x' });
  });

  test('has at most 4 KB, and leaves a field out whole', () => {
    const metadata = tokenMetadata(
      { big: 'x'.repeat(5000), small: 'y', half: 'é'.repeat(2000), more: 'z'.repeat(90) },
      [],
    );
    expect(metadata).toEqual({ small: 'y', half: 'é'.repeat(2000) });
    expect(Buffer.byteLength(JSON.stringify(metadata))).toBeLessThanOrEqual(4096);
  });

  test('does not follow prototypes or endless depth (S-54)', () => {
    const rest = JSON.parse(`{"__proto__":{"admin":true},"deep":${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}}`);
    const metadata = tokenMetadata(rest, []);
    expect(JSON.stringify(metadata)).toBe('{"deep":{"a":{"a":{"a":{"a":{}}}}}}');
    expect(metadata).not.toHaveProperty('admin');
  });
});
