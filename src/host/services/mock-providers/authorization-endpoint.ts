import type { Person } from '../../../providers/stand-ins/stand-in.ts';
import { type Exchange, type HttpAnswer, Refusal } from './exchange.ts';
import { type MockGrant, unguessable } from './mock-state.ts';
import { authorizationPage, pageAnswer } from './pages.ts';
import { type Parameters, queryParameters, requestedScopes } from './parameters.ts';
import { people } from './people.ts';
import { isOfflineGrant } from './token-grants.ts';

const codeLifeMs = 60_000;

interface Asked {
  readonly parameters: Parameters;
  readonly scopes: readonly string[];
  /** Null: the provider knows it under a name, and the person says where it leads. */
  readonly redirectUri: string | null;
}

interface Decision {
  readonly decision: string | null;
  readonly person: string | null;
  readonly scopes: readonly string[] | null;
  readonly returnTo: string | null;
}

/**
 * The authorization endpoint (RFC 6749 section 3.1): a page for people, or `auto=allow` or `auto=deny` in the query for
 * tests, with `person` (1 or 2) and `granted` (scopes, where people may choose them).
 */
export function authorizationEndpoint(exchange: Exchange): HttpAnswer {
  const asked = checkRequest(exchange);
  const { url, method, body, standIn } = exchange;
  const auto = url.searchParams.get('auto');
  const mayChoose = standIn.letsPeopleChooseScopes === true;
  if (method === 'POST' || auto !== null) {
    const given = method === 'POST' ? new URLSearchParams(body) : url.searchParams;
    const granted = method === 'POST' ? given.getAll('granted') : given.get('granted')?.split(' ');
    return decide(exchange, asked, {
      decision: method === 'POST' ? given.get('decision') : auto,
      person: given.get('person'),
      scopes: mayChoose ? (granted ?? null) : null,
      returnTo: given.get('return_to'),
    });
  }
  return pageAnswer(
    authorizationPage({
      provider: exchange.entry.name,
      action: `${url.pathname}${url.search}`,
      client: exchange.server.client.id,
      scopes: asked.scopes,
      mayChoose,
      asksWhereTo: asked.redirectUri === null,
    }),
  );
}

/** What is wrong here is told to the person: it may not be the client who asked. */
function checkRequest(exchange: Exchange): Asked {
  const { entry, server } = exchange;
  const parameters = queryParameters(exchange);
  const wrong = (what: string) => new Refusal('invalid_request', what);
  if (parameters.client_id !== server.client.id) throw wrong(`client_id must be ${server.client.id}`);
  if (parameters.response_type !== 'code') throw wrong('response_type must be code');
  if (!parameters.state) throw wrong('state is missing');
  const { code_challenge: challenge, code_challenge_method: method } = parameters;
  if (challenge !== undefined && method !== 'S256') throw wrong('code_challenge_method must be S256');
  if (challenge === undefined && entry.requests.pkce === 'required') throw wrong('code_challenge is missing');
  for (const [name, value] of Object.entries(entry.requests.authorizeParams)) {
    if (!value.includes('{') && !parameters[name]) throw wrong(`${name} is missing`);
  }
  const scopes = requestedScopes(exchange, parameters.scope);
  const given = parameters.redirect_uri ?? '';
  if (entry.requests.redirectUri !== null) return { parameters, scopes, redirectUri: null };
  if (!isRegistered(given, server.callbackPrefix())) throw wrong('redirect_uri is not registered');
  return { parameters, scopes, redirectUri: given };
}

/** Compared as parsed, so that `/callback/../` does not slip through. */
function isRegistered(redirectUri: string, prefix: string | null): boolean {
  const url = URL.parse(redirectUri);
  return prefix !== null && url?.href.startsWith(prefix) === true && !/[?#]/.test(redirectUri);
}

function decide(exchange: Exchange, asked: Asked, { decision, person, scopes, returnTo }: Decision): HttpAnswer {
  const { server, entry, standIn } = exchange;
  const { parameters } = asked;
  const target = asked.redirectUri ?? returnTo ?? '';
  if (!isRegistered(target, server.callbackPrefix())) throw new Refusal('invalid_request', 'that is not registered');
  if (decision !== 'allow') return redirectTo(target, { error: 'access_denied', state: parameters.state });

  const granted = scopes === null ? asked.scopes : asked.scopes.filter((scope) => scopes.includes(scope));
  const { offlineParameter: offline } = standIn;
  const isOnline = offline?.request === 'authorization' && parameters[offline.name] !== offline.value;
  const grant: MockGrant = {
    provider: entry.id,
    clientId: server.client.id,
    person: personOf(person),
    scopes: granted,
    redirectUri: parameters.redirect_uri ?? null,
    isOffline: !isOnline && isOfflineGrant(exchange, granted),
    isEnded: false,
  };
  const code = unguessable();
  server.state.codes.set(code, {
    grant,
    challenge: parameters.code_challenge ?? null,
    nonce: parameters.nonce ?? null,
    expiresAt: server.now() + codeLifeMs,
    isUsed: false,
  });
  return redirectTo(target, { [entry.requests.codeParam]: code, state: parameters.state, ...standIn.callback });
}

function personOf(number: string | null): Person {
  return people[Number(number ?? 1) - 1] ?? people[0];
}

function redirectTo(target: string, parameters: Readonly<Record<string, string | undefined>>): HttpAnswer {
  const url = new URL(target);
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) url.searchParams.set(name, value);
  return { status: 303, headers: { location: url.href, 'cache-control': 'no-store' }, body: '' };
}
