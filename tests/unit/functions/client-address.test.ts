import { expect, test } from 'vitest';
import { clientAddress, networkOf } from '../../../src/functions/http/client-address.ts';

const addressOf = (forwarded?: string) =>
  clientAddress({ headers: new Headers(forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }) });

test.each([
  ['203.0.113.9', '203.0.113.9'],
  ['203.0.113.9:51234', '203.0.113.9'],
  ['10.0.0.1, 203.0.113.9:51234', '203.0.113.9'],
  ['1.1.1.1,2.2.2.2 ,\t203.0.113.9', '203.0.113.9'],
  ['2001:db8::17', '2001:db8::17'],
  ['[2001:db8::17]:51234', '2001:db8::17'],
  ['[2001:db8::17]', '2001:db8::17'],
])('the address is what the front end wrote last: %s', (forwarded, address) => {
  expect(addressOf(forwarded)).toBe(address);
});

test.each([
  undefined,
  '',
  ',',
  'unknown',
  '203.0.113.9, evil',
  '203.0.113.9:1:2',
  '[203.0.113.9',
  '256.1.1.1',
  '{"a":1}',
])('there is none in %j', (forwarded) => {
  expect(addressOf(forwarded)).toBeUndefined();
});

test('who has a network has all its addresses', () => {
  expect(networkOf('2001:db8:1:2::17')).toBe(networkOf('2001:db8:1:2:ffff:ffff:ffff:ffff'));
  expect(networkOf('2001:db8:1:2::17')).not.toBe(networkOf('2001:db8:1:3::17'));
  expect(networkOf('203.0.113.9')).toBe('203.0.113.9');
  expect(networkOf('::ffff:203.0.113.9')).toBe('203.0.113.9');
  expect(networkOf(undefined)).toBe('unknown');
});
