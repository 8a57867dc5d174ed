import type { FlowType } from '../domain/connection.ts';
import type { Provider, ProviderEndpoints } from '../domain/provider.ts';
import { isAuthorizationParameter, isTokenParameter } from '../domain/reserved-parameters.ts';
import { allTemplates, endpointTemplates, variablesIn } from './templates.ts';

/** What is wrong with an entry, and where. */
export interface Problem {
  readonly path: readonly string[];
  readonly message: string;
}

const flowEndpoints: Readonly<Partial<Record<FlowType, keyof ProviderEndpoints>>> = {
  authorization_code: 'authorization',
  device_code: 'deviceAuthorization',
};

const secretName = /secret|password|assertion|(^|_)token$|api_?key/i;

/** Addresses are https, and complete unless they are discovered. */
export function endpointRules(provider: Provider): readonly Problem[] {
  const { discovers, endpoints } = provider;
  const insecure = endpointTemplates(provider).filter(
    ({ template }) => template !== '' && !isHttps(template, provider),
  );
  const problems = insecure.map(({ path }) => ({ path, message: 'must be https' }));
  if (discovers ? endpoints.issuer === null : endpoints.token === '') {
    const missing = discovers ? 'issuer' : 'token';
    problems.push({ path: ['endpoints', missing], message: 'is needed' });
  }
  return problems;
}

/** In `https://host/…` no part of what comes after may be taken for the host; a whole URL may stand in a variable. */
function isHttps(template: string, { variables }: Provider): boolean {
  const first = /^\{(\w+)\}(\/|$)/.exec(template)?.[1];
  if (first !== undefined) return /^https/.test(variables[first]?.pattern ?? '');
  return /^https:\/\/[a-z0-9{}_.-]+(\/[^\s\\#]*)?$/i.test(template);
}

/** Every `{variable}` is declared and every declared one used; parameters that Bowline sets itself are left to it. */
export function templateRules(provider: Provider): readonly Problem[] {
  const templates = allTemplates(provider);
  const used = new Set(templates.flatMap(({ template }) => variablesIn(template)));
  const { authorizeParams, tokenParams } = provider.requests;
  return [
    ...templates.flatMap(({ path, template }) =>
      variablesIn(template)
        .filter((name) => !Object.hasOwn(provider.variables, name))
        .map((name) => ({ path, message: `names {${name}}, which is not declared` })),
    ),
    ...Object.keys(provider.variables)
      .filter((name) => !used.has(name))
      .map((name) => ({ path: ['variables', name], message: 'is used nowhere' })),
    ...reserved('authorizeParams', authorizeParams, isAuthorizationParameter),
    ...reserved('tokenParams', tokenParams, isTokenParameter),
  ];
}

function reserved(field: string, params: object, isReserved: (name: string) => boolean): readonly Problem[] {
  return Object.keys(params)
    .filter((name) => isReserved(name) || secretName.test(name))
    .map((name) => ({ path: ['requests', field, name], message: 'is not for a catalogue to set' }));
}

/** Flows have the endpoints they need, and nothing is said of what the provider does not have. */
export function flowRules(provider: Provider): readonly Problem[] {
  const { flows, endpoints, discovers, jwt, rotation, overlapSeconds } = provider;
  const problems: Problem[] = [];
  for (const flow of flows) {
    const endpoint = flowEndpoints[flow];
    if (endpoint !== undefined && endpoints[endpoint] === null && !discovers) {
      problems.push({ path: ['endpoints', endpoint], message: `is needed by ${flow}` });
    }
  }
  for (const [flow, endpoint] of Object.entries(flowEndpoints)) {
    if (endpoints[endpoint] !== null && !flows.includes(flow as FlowType)) {
      problems.push({ path: ['endpoints', endpoint], message: `is there without the flow ${flow}` });
    }
  }
  if (flows.includes('jwt_bearer') !== (jwt !== null)) {
    problems.push({ path: ['jwt'], message: 'is needed by jwt_bearer, and by nothing else' });
  }
  if ((provider.revocation === null) !== (endpoints.revocation === null)) {
    problems.push({ path: ['revocation'], message: 'goes with an endpoint' });
  }
  if (overlapSeconds !== null && rotation !== 'overlap') {
    problems.push({ path: ['overlapSeconds'], message: 'goes with the rotation overlap' });
  }
  if (provider.scopes.isUnused && (provider.scopes.default ?? provider.scopes.offline) !== null) {
    problems.push({ path: ['scopes'], message: 'are unused: none can be sent' });
  }
  return problems;
}
