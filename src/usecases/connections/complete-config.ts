import {
  areSameVariables,
  type ClientAuthMethod,
  type ConnectionConfig,
  type Endpoints,
  type FlowType,
  needsPerson,
  noEndpoints,
  type ScopeSeparator,
} from '../../domain/connection.ts';
import { BrokerError, type ErrorDetail } from '../../domain/errors.ts';
import type { Provider } from '../../domain/provider.ts';
import { providerEndpoints, variableProblems } from '../../domain/provider-templates.ts';
import type { Dependencies } from '../dependencies.ts';
import { endpointPaths } from './connection-input.ts';

/** A configuration as an administrator gives it: null is left to the provider, or to the standards. */
export interface ConfigInput extends Omit<ConnectionConfig, 'clientAuth' | 'scopes' | 'scopeSeparator' | 'endpoints'> {
  readonly clientAuth: ClientAuthMethod | null;
  readonly scopes: string | null;
  readonly scopeSeparator: ScopeSeparator | null;
  readonly endpoints: Partial<Endpoints>;
}

type Needs = Pick<Dependencies, 'providers' | 'authorizationServer' | 'urlPolicy'>;

/** Endpoints that may be given beside a provider: they say only what Bowline may try, and receive nothing but tokens. */
const mayDiffer: readonly (keyof Endpoints)[] = ['testUrl'];

/**
 * Completes a configuration from the catalogue, or from the metadata of its issuer (RFC 8414). Throws
 * `validation_failed` with every problem, `url_not_allowed`, and what `discover` throws.
 */
export async function completeConfig(needs: Needs, input: ConfigInput): Promise<ConnectionConfig> {
  const provider = input.provider === null ? undefined : knownProvider(needs, input.provider);
  const endpoints = provider === undefined ? await ownEndpoints(needs, input) : endpointsAt(provider, input);
  return {
    ...input,
    clientAuth: input.clientAuth ?? provider?.clientAuth[0] ?? usualClientAuth(input.flowType),
    scopes: input.scopes ?? (provider === undefined ? null : defaultScopes(provider, input.flowType)),
    scopeSeparator: input.scopeSeparator ?? provider?.scopes.separator ?? 'space',
    endpoints: provider?.discovers === true ? await discovered(needs, endpoints) : endpoints,
  };
}

/**
 * The endpoints of a changed configuration. Those of a provider follow its variables and nothing else: a change of a
 * label must not drop tokens because the catalogue or an issuer's metadata has changed. Throws as `completeConfig` does.
 */
export async function changedEndpoints(
  needs: Needs,
  before: ConnectionConfig,
  after: ConnectionConfig,
): Promise<Endpoints> {
  if (after.provider === null) return after.endpoints;
  const provider = knownProvider(needs, after.provider);
  const given = Object.entries(after.endpoints).filter(
    ([name, url]) => url !== before.endpoints[name as keyof Endpoints],
  );
  const endpoints = endpointsAt(provider, { ...after, endpoints: Object.fromEntries(given) });
  if (areSameVariables(after.variables, before.variables)) {
    // The catalogue's own stands in for one that this change clears; one that it has gained since is left out.
    const usual = before.endpoints.testUrl === null ? null : endpoints.testUrl;
    return { ...before.endpoints, testUrl: after.endpoints.testUrl ?? usual };
  }
  return provider.discovers ? discovered(needs, endpoints) : endpoints;
}

/** An API key has no client. */
function usualClientAuth(flowType: FlowType): ClientAuthMethod {
  return flowType === 'api_key' ? 'none' : 'client_secret_basic';
}

/** A client that speaks for itself needs other scopes than a person grants. */
function defaultScopes({ scopes }: Provider, flowType: FlowType): string | null {
  if (needsPerson(flowType)) return scopes.default;
  return (scopes.clientDefault ?? scopes.default) || null;
}

function knownProvider({ providers }: Needs, id: string): Provider {
  const provider = providers.get(id);
  if (provider !== undefined) return provider;
  throw invalid([{ path: 'provider', message: 'is not in the catalogue: GET /api/oauth/providers lists it' }]);
}

function endpointsAt(provider: Provider, input: ConfigInput): Endpoints {
  const { variables, endpoints, flowType, clientAuth, scopes } = input;
  const given = (Object.keys(endpoints) as (keyof Endpoints)[]).filter(
    (name) => Boolean(endpoints[name]) && !mayDiffer.includes(name),
  );
  const problems: ErrorDetail[] = [
    ...variableProblems(provider, variables),
    ...given.map((name) => ({ path: endpointPaths[name], message: 'comes from the provider' })),
  ];
  if (!provider.flows.includes(flowType)) {
    problems.push({ path: 'oauth_flow_type', message: `must be one of: ${provider.flows.join(', ')}` });
  }
  if (input.fallbackClientCredentials && !provider.flows.includes('client_credentials')) {
    problems.push({ path: 'fallback_client_credentials', message: 'is not known to work with the provider' });
  }
  if (clientAuth !== null && !provider.clientAuth.includes(clientAuth)) {
    problems.push({ path: 'client_auth', message: `must be one of: ${provider.clientAuth.join(', ')}` });
  }
  if (provider.scopes.isUnused && scopes) {
    problems.push({ path: 'scopes', message: 'are set at the provider, where the client is registered' });
  }
  if (problems.length > 0) throw invalid(problems);
  const own = providerEndpoints(provider, variables);
  return { ...own, testUrl: endpoints.testUrl ?? own.testUrl };
}

async function ownEndpoints(needs: Needs, { endpoints, flowType, variables }: ConfigInput): Promise<Endpoints> {
  if (Object.keys(variables).length > 0) {
    throw invalid([{ path: 'variables', message: 'belong to a provider: name one' }]);
  }
  if (endpoints.tokenUrl || flowType === 'api_key') return { ...noEndpoints, tokenUrl: '', ...endpoints };
  if (!endpoints.issuer) throw invalid([{ path: 'token_url', message: 'is needed without a provider or an issuer' }]);
  return discovered(needs, { ...noEndpoints, tokenUrl: '', ...endpoints });
}

/** What is given stands; the metadata fills the rest. */
async function discovered({ authorizationServer, urlPolicy }: Needs, given: Endpoints): Promise<Endpoints> {
  const issuer = given.issuer ?? '';
  const problem = urlPolicy.problem(issuer);
  if (problem !== undefined) {
    const details = [{ path: 'issuer', message: problem }];
    throw new BrokerError('url_not_allowed', `issuer ${problem}`, { details });
  }
  const found = await authorizationServer.discover(issuer);
  const named = Object.fromEntries(Object.entries(given).filter(([, url]) => url !== null && url !== ''));
  return { ...found, ...named };
}

function invalid(details: readonly ErrorDetail[]): BrokerError {
  const text = details.map(({ path, message }) => `${path} ${message}`).join('; ');
  return new BrokerError('validation_failed', text, { details });
}
