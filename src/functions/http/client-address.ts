import { isIP } from 'node:net';
import type { HttpRequest } from '@azure/functions';
import ipaddr from 'ipaddr.js';

/** Parts of an IPv6 address that name a network: the rest is anybody's choice who has that network. */
const networkParts = 4;

/**
 * The address that a request came from, or undefined where the platform does not say. Azure's front end writes what it
 * saw at the end of `X-Forwarded-For`, with a port; everything before that is what the client says of itself.
 */
export function clientAddress(request: Pick<HttpRequest, 'headers'>): string | undefined {
  const last = request.headers.get('x-forwarded-for')?.split(',').at(-1)?.trim() ?? '';
  const address = /^\[(.+)\](?::\d+)?$/.exec(last)?.[1] ?? last.replace(/^([\d.]+):\d+$/, '$1');
  return isIP(address) === 0 ? undefined : address;
}

/** What counts as one client: an IPv4 address, the network of an IPv6 one, or all whose address nobody knows. */
export function networkOf(address: string | undefined): string {
  if (address === undefined) return 'unknown';
  const parsed = ipaddr.process(address);
  if (parsed.kind() === 'ipv4') return parsed.toString();
  return parsed.toNormalizedString().split(':').slice(0, networkParts).join(':');
}
