import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Azure's platform address (DNS, wire server): public by number, and never a provider. */
const platformAddress = '168.63.129.16';

/**
 * Whether an IP address, as `node:net` writes it, belongs to the public internet. IPv4 in IPv6 clothes counts as the
 * IPv4 address; everything that is not plain global unicast is refused (RFC 6890), and IPv6 outside 2000::/3 as well.
 */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 0) {
    return false;
  }
  const parsed = ipaddr.process(address);
  if (parsed.range() !== 'unicast' || parsed.toString() === platformAddress) {
    return false;
  }
  // ipaddr.js calls the likes of ::a9fe:a9fe and 4000:: unicast too.
  return parsed instanceof ipaddr.IPv4 || (Number(parsed.parts[0]) & 0xe000) === 0x2000;
}

/** Whether an IP address is this machine's own loopback: 127.0.0.0/8, ::1, and the former in IPv6 clothes. */
export function isLoopbackAddress(address: string): boolean {
  return isIP(address) !== 0 && ipaddr.process(address).range() === 'loopback';
}
