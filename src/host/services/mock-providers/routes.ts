import type { ProviderCatalogue } from '../../../ports/provider-catalogue.ts';
import { refused } from './answers.ts';
import { authorizationEndpoint } from './authorization-endpoint.ts';
import { deviceEndpoint, verificationPage } from './device-endpoint.ts';
import { type Exchange, type HttpAnswer, type MockServer, Refusal } from './exchange.ts';
import { endGrants } from './mock-state.ts';
import { frontPage, messagePage, pageAnswer } from './pages.ts';
import { introspectionEndpoint, metadataEndpoint, revocationEndpoint, userinfoEndpoint } from './resource-endpoints.ts';
import { tokenEndpoint } from './token-endpoint.ts';

type Endpoint = (exchange: Exchange) => HttpAnswer | Promise<HttpAnswer>;

interface Route {
  readonly methods: readonly string[];
  readonly answer: Endpoint;
  /** What goes wrong is told on a page. */
  readonly isPage?: true;
}

const routes: Readonly<Record<string, Route>> = {
  authorize: { methods: ['GET', 'POST'], answer: authorizationEndpoint, isPage: true },
  token: { methods: ['POST'], answer: (exchange) => tokenEndpoint(exchange, 'token') },
  refresh: { methods: ['POST'], answer: (exchange) => tokenEndpoint(exchange, 'refresh') },
  revoke: { methods: ['POST', 'DELETE'], answer: revocationEndpoint },
  introspect: { methods: ['POST'], answer: introspectionEndpoint },
  userinfo: { methods: ['GET', 'POST'], answer: userinfoEndpoint },
  test: { methods: ['GET', 'POST'], answer: userinfoEndpoint },
  device_code: { methods: ['POST'], answer: deviceEndpoint },
  device: { methods: ['GET', 'POST'], answer: verificationPage, isPage: true },
  fault: { methods: ['POST'], answer: faultForm, isPage: true },
  '.well-known': { methods: ['GET'], answer: metadataEndpoint },
};

interface Asked {
  readonly mock: MockServer;
  readonly catalogue: ProviderCatalogue;
  readonly endpoint: string;
  /** Undefined: the path names no provider. */
  readonly exchange: Exchange | undefined;
}

/** The answer of the endpoint that a path names. */
export async function answerTo({ mock, catalogue, endpoint, exchange }: Asked): Promise<HttpAnswer> {
  if (exchange === undefined) {
    return endpoint === '' ? pageAnswer(frontPage(catalogue.list(), mock.client.id)) : notHere();
  }
  const route = Object.hasOwn(routes, endpoint) ? routes[endpoint] : undefined;
  if (route === undefined || !route.methods.includes(exchange.method)) return notHere();
  try {
    return await route.answer(exchange);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (route.isPage !== true) return refused(exchange, error);
    return pageAnswer(messagePage('This did not work', error.message), 400);
  }
}

function notHere(): HttpAnswer {
  return pageAnswer(messagePage('Nothing here', 'The stand-in has no such endpoint.'), 404);
}

/** The buttons of the front page. */
function faultForm({ server: { state }, entry, body }: Exchange): HttpAnswer {
  const fault = new URLSearchParams(body).get('fault');
  if (fault === 'end_grants') endGrants(state, entry.id);
  else if (fault === 'rate_limited' || fault === 'unavailable') {
    state.faults.set(entry.id, [{ failure: fault, timesLeft: 1 }]);
  } else throw new Refusal('invalid_request', 'fault must be rate_limited, unavailable or end_grants');
  return { status: 303, headers: { location: '/' }, body: '' };
}
