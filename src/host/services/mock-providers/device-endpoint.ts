import { randomInt } from 'node:crypto';
import { answered } from './answers.ts';
import { type Exchange, type HttpAnswer, Refusal } from './exchange.ts';
import { unguessable } from './mock-state.ts';
import { devicePage, messagePage, pageAnswer } from './pages.ts';
import { bodyParameters, checkHeaders, requestedScopes } from './parameters.ts';
import { people } from './people.ts';

const deviceLifeSeconds = 600;
const intervalSeconds = 5;

/** The device authorization endpoint (RFC 8628 section 3.1). */
export function deviceEndpoint(exchange: Exchange): HttpAnswer {
  const { server, entry } = exchange;
  checkHeaders(exchange);
  const parameters = bodyParameters(exchange, entry.requests.bodyFormat);
  // The request names the client; it proves itself at the token endpoint.
  const basic = exchange.headers.authorization;
  if (basic === undefined && parameters.client_id !== server.client.id) {
    throw new Refusal('invalid_client', 'no such client_id');
  }
  const deviceCode = unguessable();
  const userCode = Array.from({ length: 8 }, () => 'BCDFGHJKLMNPQRSTVWXZ'[randomInt(20)]).join('');
  server.state.devices.set(deviceCode, {
    provider: entry.id,
    clientId: server.client.id,
    scopes: requestedScopes(exchange, parameters.scope),
    userCode,
    expiresAt: server.now() + deviceLifeSeconds * 1000,
    person: undefined,
  });
  const standard = {
    device_code: deviceCode,
    user_code: userCode,
    verification_uri: `${server.baseUrl()}/${entry.id}/device`,
    expires_in: deviceLifeSeconds,
    interval: intervalSeconds,
  };
  return answered(exchange, 200, exchange.standIn.device?.(standard) ?? standard);
}

/** Where the person enters the code and decides. */
export function verificationPage(exchange: Exchange): HttpAnswer {
  const { server, entry, method, body, url } = exchange;
  if (method !== 'POST') return pageAnswer(devicePage({ provider: entry.name, action: url.pathname }));
  const form = new URLSearchParams(body);
  const userCode = form.get('user_code')?.trim().toUpperCase().replaceAll('-', '');
  const device = [...server.state.devices.values()].find(
    (one) => one.provider === entry.id && one.userCode === userCode,
  );
  if (device === undefined || device.expiresAt <= server.now()) {
    return pageAnswer(messagePage('No such code', 'The code is unknown or has lapsed.'), 400);
  }
  const chosen = people[Number(form.get('person') ?? 1) - 1] ?? people[0];
  device.person = form.get('decision') === 'allow' ? chosen : null;
  return pageAnswer(messagePage('Done', 'You can go back to your device.'));
}
