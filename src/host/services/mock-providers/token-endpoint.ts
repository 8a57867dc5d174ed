import type { FlowType } from '../../../domain/connection.ts';
import { checkClient } from './client-check.ts';
import { type Exchange, type HttpAnswer, Refusal } from './exchange.ts';
import { issueTokens } from './issue-tokens.ts';
import { takeFault } from './mock-state.ts';
import { bodyParameters, checkHeaders, type Parameters } from './parameters.ts';
import {
  exchangeToken,
  type GrantHandler,
  ofAssertion,
  ofClient,
  ofDevice,
  redeemCode,
  refresh,
} from './token-grants.ts';

const urn = 'urn:ietf:params:oauth:grant-type';

/** What each grant type is called, and the flow that it belongs to. */
const grantTypes: Readonly<Record<string, { readonly flow: FlowType; readonly handle: GrantHandler }>> = {
  authorization_code: { flow: 'authorization_code', handle: redeemCode },
  refresh_token: { flow: 'refresh_token', handle: refresh },
  client_credentials: { flow: 'client_credentials', handle: ofClient },
  account_credentials: { flow: 'account_credentials', handle: ofClient },
  [`${urn}:jwt-bearer`]: { flow: 'jwt_bearer', handle: ofAssertion },
  [`${urn}:device_code`]: { flow: 'device_code', handle: ofDevice },
  [`${urn}:token-exchange`]: { flow: 'token_exchange', handle: exchangeToken },
};

/** The token endpoint (RFC 6749 section 3.2), and the one for refreshes where the provider has one. */
export async function tokenEndpoint(exchange: Exchange, endpoint: 'token' | 'refresh'): Promise<HttpAnswer> {
  const { entry, server } = exchange;
  const fault = takeFault(server.state, entry.id);
  if (fault !== undefined) throw new Refusal(fault, 'somebody asked for this');
  checkHeaders(exchange);
  if (entry.jwt?.style === 'bearer') return ofBearerAssertion(exchange);

  const parameters = bodyParameters(exchange, entry.requests.bodyFormat);
  const name = parameters.grant_type ?? '';
  const grantType = Object.hasOwn(grantTypes, name) ? grantTypes[name] : undefined;
  if (grantType === undefined || !entry.flows.includes(grantType.flow)) {
    throw new Refusal('unsupported_grant_type', 'the provider has no such grant');
  }
  const { flow, handle } = grantType;
  if (entry.endpoints.refresh !== null && (flow === 'refresh_token') !== (endpoint === 'refresh')) {
    throw new Refusal('invalid_request', 'refreshes have an endpoint of their own');
  }
  checkTokenParameters(exchange, parameters);
  const needsNoClient = flow === 'jwt_bearer' && entry.jwt?.authenticatesClient !== true;
  const clientId = needsNoClient ? server.client.id : await checkClient(exchange, parameters);
  return issueTokens(exchange, await handle(exchange, parameters, clientId));
}

/** The assertion is the authorization of the request, which has no grant type. */
async function ofBearerAssertion(exchange: Exchange): Promise<HttpAnswer> {
  const { headers, server } = exchange;
  const assertion = /^bearer (.+)$/i.exec(headers.authorization ?? '')?.[1];
  if (assertion === undefined) throw new Refusal('invalid_assertion', 'no assertion in the header');
  return issueTokens(exchange, await ofAssertion(exchange, { assertion }, server.client.id));
}

/** The provider's own parameters with a variable in them that an administrator has to give. */
function checkTokenParameters({ entry }: Exchange, parameters: Parameters): void {
  for (const [name, template] of Object.entries(entry.requests.tokenParams)) {
    const variable = /\{(\w+)\}/.exec(template)?.[1];
    const isNeeded = variable !== undefined && entry.variables[variable]?.default === null;
    if (isNeeded && !parameters[name]) throw new Refusal('invalid_request', `${name} is missing`);
  }
}
