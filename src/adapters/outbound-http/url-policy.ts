import { isIP } from 'node:net';
import type { UrlPolicy } from '../../ports/url-policy.ts';
import { isLoopbackAddress, isPublicAddress } from './address-policy.ts';

export interface UrlPolicyOptions {
  /** Allows loopback addresses, and http on 127.0.0.1, [::1] and localhost: for the embedded host and tests only. */
  readonly allowInsecureLoopback: boolean;
}

/**
 * Names that never lead to a public server: RFC 6761 (localhost, test, invalid), RFC 6762 (local), RFC 7686 (onion),
 * RFC 8375 (home.arpa), RFC 9476 (alt), and ICANN's `internal`. The example names are ordinary here.
 */
const reservedSuffixes = [
  'localhost',
  'localdomain',
  'local',
  'internal',
  'home.arpa',
  'test',
  'invalid',
  'onion',
  'alt',
];

const insecureLoopbackHosts: ReadonlySet<string> = new Set(['127.0.0.1', '[::1]', 'localhost']);

export function createUrlPolicy(options: UrlPolicyOptions): UrlPolicy {
  return { problem: (url) => checkUrl(url, options) };
}

/**
 * What is wrong with a URL that a provider is to be reached at, or `undefined`. Judges the text, the scheme, literal
 * addresses in every spelling that the URL standard knows, and reserved names. What a name resolves to is judged when
 * connecting. The answer repeats nothing of the URL.
 */
export function checkUrl(text: string, { allowInsecureLoopback }: UrlPolicyOptions): string | undefined {
  const url = URL.parse(text);
  const textProblem = problemOfText(text);
  if (url === null || textProblem !== undefined) {
    return textProblem ?? 'is not a URL';
  }
  const isLocal = allowInsecureLoopback && insecureLoopbackHosts.has(url.hostname);
  if (url.protocol !== 'https:' && !(isLocal && url.protocol === 'http:')) {
    return 'must begin with https://';
  }
  if (url.port === '0') {
    return 'names port 0';
  }
  return isLocal ? undefined : problemOfHost(url.hostname, allowInsecureLoopback);
}

/** What URL parsers drop, repair or read differently from one another is refused before one of them repairs it. */
function problemOfText(text: string): string | undefined {
  if (/[\s\p{Cc}\\]/u.test(text)) {
    return 'has white space, control characters or a backslash in it';
  }
  const authority = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]+)/i.exec(text)?.[1];
  if (authority === undefined) {
    return 'is not an absolute URL with a host';
  }
  if (authority.includes('@')) {
    return 'carries a user name or a password';
  }
  return text.includes('#') ? 'has a fragment' : undefined;
}

function problemOfHost(hostname: string, allowLoopback: boolean): string | undefined {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0) {
    const isAllowed = isPublicAddress(host) || (allowLoopback && isLoopbackAddress(host));
    return isAllowed ? undefined : 'names an address that is not public';
  }
  if (host.endsWith('.')) {
    return 'has a host name that ends with a dot';
  }
  if (!host.includes('.')) {
    return 'has a host name without a dot';
  }
  const isReserved = reservedSuffixes.some((suffix) => host === suffix || host.endsWith(`.${suffix}`));
  return isReserved ? 'names a reserved host' : undefined;
}
