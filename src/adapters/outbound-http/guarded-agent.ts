import { isIP, type LookupFunction } from 'node:net';
import { Agent, buildConnector } from 'undici';
import { isLoopbackAddress, isPublicAddress } from './address-policy.ts';

/** The connector refused an address. The message is for the log. */
export class RefusedAddressError extends Error {
  override readonly name = 'RefusedAddressError';
}

export interface GuardedAgentOptions {
  readonly allowInsecureLoopback: boolean;
  readonly connectTimeoutMs: number;
  readonly totalTimeoutMs: number;
  readonly maxHeaderBytes: number;
  readonly lookup: LookupFunction;
}

/**
 * An undici agent whose connector judges every address it is about to dial. The guard sits there, so that literals,
 * DNS answers and whatever else makes a connection all meet it.
 */
export function createGuardedAgent(options: GuardedAgentOptions): Agent {
  const isAllowed = (address: string) =>
    isPublicAddress(address) || (options.allowInsecureLoopback && isLoopbackAddress(address));
  const connect = buildConnector({
    lookup: guardLookup(options.lookup, isAllowed),
    timeout: options.connectTimeoutMs,
    allowH2: false,
    // Stated, so that NODE_TLS_REJECT_UNAUTHORIZED cannot turn it off.
    rejectUnauthorized: true,
  });
  return new Agent({
    // A connection of its own for each request. A kept one may have died in the meantime, and a refresh token that
    // was written to it may or may not have arrived.
    pipelining: 0,
    maxHeaderSize: options.maxHeaderBytes,
    headersTimeout: options.totalTimeoutMs,
    bodyTimeout: options.totalTimeoutMs,
    connect: guardConnector(connect, isAllowed),
  });
}

/** Refuses a name when one of its addresses is not allowed; the list that was judged is the list that is dialled. */
function guardLookup(lookup: LookupFunction, isAllowed: (address: string) => boolean): LookupFunction {
  return (hostname, lookupOptions, callback) => {
    lookup(hostname, { ...lookupOptions, all: true }, (error, answer) => {
      if (error) {
        return callback(error, []);
      }
      const addresses = typeof answer === 'string' ? [{ address: answer, family: isIP(answer) }] : answer;
      const [first] = addresses;
      const refused = addresses.find(({ address }) => !isAllowed(address));
      if (first === undefined || refused !== undefined) {
        const found = refused?.address ?? 'no address';
        return callback(new RefusedAddressError(`${hostname} resolves to ${found}`), []);
      }
      return lookupOptions.all ? callback(null, [...addresses]) : callback(null, first.address, first.family);
    });
  };
}

/** Literal addresses never reach `lookup`, so they are judged here; so is, once more, what was really dialled. */
function guardConnector(
  connect: buildConnector.connector,
  isAllowed: (address: string) => boolean,
): buildConnector.connector {
  return (target, callback) => {
    const host = target.hostname.replace(/^\[|\]$/g, '');
    if (isIP(host) !== 0 && !isAllowed(host)) {
      callback(new RefusedAddressError(`${host} is not a public address`), null);
      return;
    }
    connect(target, (...[error, socket]) => {
      if (error !== null) {
        callback(error, null);
      } else if (isAllowed(socket.remoteAddress ?? '')) {
        callback(null, socket);
      } else {
        socket.destroy();
        callback(new RefusedAddressError(`${host} led to ${socket.remoteAddress}`), null);
      }
    });
  };
}
