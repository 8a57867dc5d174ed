import type { Exchange } from './exchange.ts';
import { Refusal } from './exchange.ts';

export type Parameters = Readonly<Record<string, string>>;

/** The parameters of a request's body, under their registered names. Refuses a body of another format than the provider's. */
export function bodyParameters(exchange: Exchange, format: 'form' | 'json'): Parameters {
  const { headers, body, entry } = exchange;
  const type = (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  const wanted = format === 'json' ? 'application/json' : 'application/x-www-form-urlencoded';
  if (type !== wanted) throw new Refusal('invalid_request', `the body must be ${wanted}`);
  const pairs = format === 'json' ? fromJson(body) : [...new URLSearchParams(body)];
  const names = pairs.map(([name]) => name);
  const repeated = names.find((name, at) => names.indexOf(name) !== at);
  if (repeated !== undefined) throw new Refusal('invalid_request', `${repeated} is there twice`);
  return registeredNames(pairs, entry.requests.renamedParams);
}

/** The parameters of an authorization request, under their registered names. */
export function queryParameters({ url, entry }: Exchange): Parameters {
  return registeredNames([...url.searchParams], entry.requests.renamedParams);
}

/** A parameter under the name that the provider has another for does not count. */
function registeredNames(
  pairs: readonly (readonly [string, string])[],
  renamed: Readonly<Record<string, string>>,
): Parameters {
  const registered = new Map(Object.entries(renamed).map(([name, own]) => [own, name]));
  return Object.fromEntries(
    pairs
      .filter(([name]) => !Object.hasOwn(renamed, name))
      .map(([name, value]) => [registered.get(name) ?? name, value]),
  );
}

function fromJson(body: string): [string, string][] {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) {
      return Object.entries(parsed).map(([name, value]) => [name, String(value)]);
    }
  } catch {
    // Told below.
  }
  throw new Refusal('invalid_request', 'the body is no JSON object');
}

/** Scopes one by one. Refuses those that another separator than the provider's holds together. */
export function requestedScopes({ entry: { scopes } }: Exchange, given: string | undefined): readonly string[] {
  if (given === undefined || given === '') return [];
  if (scopes.isUnused) throw new Refusal('invalid_scope', 'this provider takes no scopes');
  const [separator, other] = scopes.separator === 'comma' ? [',', ' '] : [' ', ','];
  if (given.includes(other)) throw new Refusal('invalid_scope', `scopes are separated by ${scopes.separator}`);
  return given.split(separator).filter((scope) => scope !== '');
}

/** The provider's own headers must be there. What is asked for as an answer is another matter. */
export function checkHeaders({ entry, headers }: Exchange): void {
  for (const [name, value] of Object.entries(entry.requests.headers)) {
    const sent = headers[name.toLowerCase()];
    const isRight = value.includes('{') ? sent !== undefined && sent !== '' : sent === value;
    if (name.toLowerCase() !== 'accept' && !isRight)
      throw new Refusal('invalid_request', `the header ${name} is wrong`);
  }
}
