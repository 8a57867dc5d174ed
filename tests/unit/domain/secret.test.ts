import { format, inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../../src/domain/secret.ts';

const text = 'very-secret';
const secret = new Secret(text);

describe('a secret', () => {
  it.each([
    ['a template', () => `${secret}`],
    ['JSON', () => JSON.stringify({ secret, list: [secret] })],
    ['an inspection', () => inspect({ secret }, { depth: 9, showHidden: true })],
    ['a formatted line', () => format('%s %o %j', secret, secret, secret)],
    ['an error', () => String(new Error(`failed with ${secret}`, { cause: secret }).stack)],
    ['its keys', () => JSON.stringify([Object.keys(secret), Object.entries(secret), { ...secret }])],
    ['structured cloning', () => JSON.stringify(structuredClone({ secret }))],
  ])('does not show in %s', (_, print) => {
    expect(print()).not.toContain(text);
  });

  it('is told only by reveal', () => {
    expect(secret.reveal()).toBe(text);
  });
});
