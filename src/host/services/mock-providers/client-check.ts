import { createHash, timingSafeEqual } from 'node:crypto';
import { jwtVerify } from 'jose';
import type { ClientAuthMethod } from '../../../domain/connection.ts';
import type { Exchange } from './exchange.ts';
import { Refusal } from './exchange.ts';
import type { Parameters } from './parameters.ts';

/** Refuses a client that does not prove who it is in one of the provider's ways, and in one of them only. */
export async function checkClient(exchange: Exchange, parameters: Parameters): Promise<string> {
  const { entry, server } = exchange;
  const { client } = server;
  const basic = /^basic (.+)$/i.exec(exchange.headers.authorization ?? '')?.[1];
  if (basic !== undefined && parameters.client_secret !== undefined) {
    throw new Refusal('invalid_client', 'credentials in header and body');
  }
  if (parameters.client_assertion !== undefined) return checkClientAssertion(exchange, parameters.client_assertion);
  const allows = (method: ClientAuthMethod) => entry.clientAuth.includes(method);
  if (basic !== undefined) {
    if (!isBasic(basic, exchange)) throw new Refusal('invalid_client', 'wrong credentials in the header');
    return client.id;
  }
  if (parameters.client_id !== client.id) throw new Refusal('invalid_client', 'no such client_id');
  if (parameters.client_secret !== undefined) {
    if (!allows('client_secret_post')) throw new Refusal('invalid_client', 'the secret may not stand in the body');
    if (!isSame(parameters.client_secret, client.secret)) throw new Refusal('invalid_client', 'wrong client_secret');
    return client.id;
  }
  if (!allows('none')) throw new Refusal('invalid_client', 'the client did not authenticate');
  return client.id;
}

/** RFC 7523 section 3, with the one key that stand-ins know. */
async function checkClientAssertion({ entry, server }: Exchange, assertion: string): Promise<string> {
  const { id, publicKey } = server.client;
  if (!entry.clientAuth.includes('private_key_jwt')) throw new Refusal('invalid_client', 'no assertions are taken');
  const base = `${server.baseUrl()}/${entry.id}`;
  try {
    await jwtVerify(assertion, publicKey, {
      issuer: id,
      subject: id,
      audience: [base, `${base}/token`],
      currentDate: new Date(server.now()),
      requiredClaims: ['exp', 'jti'],
    });
    return id;
  } catch (error) {
    throw new Refusal('invalid_client', error instanceof Error ? error.message : 'unreadable');
  }
}

/** As it is for those that do not decode, and percent-decoded (RFC 6749 section 2.3.1) for the others. */
export function isBasic(encoded: string, { entry, server: { client } }: Exchange): boolean {
  const text = Buffer.from(encoded, 'base64').toString();
  const [id, secret] = [text.slice(0, text.indexOf(':')), text.slice(text.indexOf(':') + 1)];
  const isUser = entry.clientAuth.includes('client_secret_basic_as_user');
  if (isUser && text.endsWith(':') && isSame(text.slice(0, -1), client.secret)) return true;
  const isRaw = entry.clientAuth.includes('client_secret_basic_raw');
  if (isRaw && id === client.id && isSame(secret, client.secret)) return true;
  if (!entry.clientAuth.includes('client_secret_basic')) return false;
  return decoded(id) === client.id && isSame(decoded(secret), client.secret);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', '%20'));
  } catch {
    return '';
  }
}

export function isSame(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
