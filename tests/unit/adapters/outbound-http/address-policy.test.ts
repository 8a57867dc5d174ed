import { expect, test } from 'vitest';
import { isLoopbackAddress, isPublicAddress } from '../../../../src/adapters/outbound-http/address-policy.ts';

test.each(['8.8.8.8', '1.1.1.1', '172.32.0.1', '168.63.129.17', '2606:4700::1', '2a00:1450:4001::1', '::ffff:8.8.8.8'])(
  'S-51 %s is a public address',
  (address) => {
    expect(isPublicAddress(address)).toBe(true);
  },
);

test.each([
  ['127.0.0.1', '127.255.255.254', '::1', '::ffff:127.0.0.1', '0.0.0.0', '::'],
  ['10.0.0.1', '172.16.0.1', '192.168.0.1', '100.64.0.1', '100.127.255.255', '169.254.169.254', '168.63.129.16'],
  ['::ffff:168.63.129.16', '::ffff:10.0.0.1', '::10.0.0.1', '64:ff9b::a00:1', '64:ff9b:1::1', '2002:a00:1::'],
  ['fc00::1', 'fd00:ec2::254', 'fe80::1', 'fe80::1%eth0', 'fec0::1', 'ff02::1', '2001:db8::1', '3fff::1', '5f00::1'],
  ['224.0.0.1', '240.0.0.1', '255.255.255.255', '192.0.2.1', '198.18.0.1', '203.0.113.1', '4000::1'],
  ['', 'localhost', '127.1', '2130706433', '0x7f000001', 'example.com', '8.8.8.8 '],
])('S-51 %s and its like are not public addresses', (...addresses) => {
  expect(addresses.filter(isPublicAddress)).toEqual([]);
});

test('only the loopback ranges are loopback', () => {
  expect(['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'].every(isLoopbackAddress)).toBe(true);
  expect(['8.8.8.8', '10.0.0.1', '0.0.0.0', '::', 'fe80::1', 'localhost', ''].filter(isLoopbackAddress)).toEqual([]);
});
