import type { ConnectionConfig, Endpoints, FlowType } from '../../domain/connection.ts';
import { BrokerError, type ErrorDetail } from '../../domain/errors.ts';
import { GLOBAL, type OrgId } from '../../domain/ids.ts';
import { isAuthorizationParameter, isTokenParameter } from '../../domain/reserved-parameters.ts';
import type { UrlPolicy } from '../../ports/url-policy.ts';

export const endpointPaths = {
  authorizationUrl: 'authorization_url',
  tokenUrl: 'token_url',
  refreshUrl: 'refresh_url',
  issuer: 'issuer',
  revocationUrl: 'revocation_url',
  introspectionUrl: 'introspection_url',
  userinfoUrl: 'userinfo_url',
  testUrl: 'test_url',
  deviceAuthorizationUrl: 'device_authorization_url',
  pushedAuthorizationUrl: 'pushed_authorization_url',
} as const satisfies Record<keyof Endpoints, string>;

/** What a person gave, and may take away. */
const fallbackFlows: readonly FlowType[] = ['authorization_code', 'device_code', 'refresh_token'];

/**
 * Checks what only makes sense together, and every address. Throws `url_not_allowed` when only addresses are wrong,
 * else `validation_failed`, with every problem at once.
 */
export function assertValidConfig(
  config: ConnectionConfig,
  context: { readonly org: OrgId; readonly hasClientSecret: boolean; readonly urlPolicy: UrlPolicy },
): void {
  const shape = [
    ...flowProblems(config),
    ...fallbackProblems(config),
    ...secretProblems(config, context.hasClientSecret),
    ...parameterProblems(config),
  ];
  if (context.org !== GLOBAL && config.sharedWith.length > 0) {
    shape.push({ path: 'shared_with', message: 'is for connections of GLOBAL' });
  }
  const urls = urlProblems(config.endpoints, context.urlPolicy);
  const details = [...shape, ...urls];
  if (details.length === 0) return;
  throw new BrokerError(
    shape.length === 0 ? 'url_not_allowed' : 'validation_failed',
    details.map(({ path, message }) => `${path} ${message}`).join('; '),
    { details },
  );
}

function flowProblems({ flowType, endpoints, clientId }: ConnectionConfig): ErrorDetail[] {
  const problems: ErrorDetail[] = [];
  const needed = (path: string) => problems.push({ path, message: `is needed for ${flowType}` });
  if (flowType !== 'api_key' && clientId === '') needed('client_id');
  if (flowType === 'authorization_code' && endpoints.authorizationUrl === null) needed('authorization_url');
  if (flowType === 'device_code' && endpoints.deviceAuthorizationUrl === null) needed('device_authorization_url');
  return problems;
}

function fallbackProblems({ fallbackClientCredentials, flowType, clientAuth }: ConnectionConfig): ErrorDetail[] {
  const path = 'fallback_client_credentials';
  if (!fallbackClientCredentials) return [];
  if (!fallbackFlows.includes(flowType)) return [{ path, message: 'is for flows in which a person grants access' }];
  return clientAuth === 'none' ? [{ path, message: 'needs a client that authenticates: client_auth is none' }] : [];
}

function secretProblems({ clientAuth, flowType }: ConnectionConfig, hasClientSecret: boolean): ErrorDetail[] {
  const path = 'client_secret';
  if (clientAuth === 'none' && (flowType === 'client_credentials' || flowType === 'account_credentials')) {
    return [{ path: 'client_auth', message: `must not be none for ${flowType}` }];
  }
  if (clientAuth.startsWith('client_secret') && !hasClientSecret) {
    return [{ path, message: `is needed for client_auth ${clientAuth}` }];
  }
  return clientAuth === 'none' && hasClientSecret ? [{ path, message: 'is not used with client_auth none' }] : [];
}

function parameterProblems({ extraAuthorizeParams, extraTokenParams }: ConnectionConfig): ErrorDetail[] {
  const names = [
    ...Object.keys(extraAuthorizeParams)
      .filter(isAuthorizationParameter)
      .map((name) => `extra_authorize_params.${name}`),
    ...Object.keys(extraTokenParams)
      .filter(isTokenParameter)
      .map((name) => `extra_token_params.${name}`),
  ];
  return names.map((path) => ({ path, message: 'is set by the broker' }));
}

function urlProblems(endpoints: Endpoints, urlPolicy: UrlPolicy): ErrorDetail[] {
  return (Object.keys(endpointPaths) as (keyof Endpoints)[]).flatMap((name) => {
    const url = endpoints[name];
    const message = url === null || url === '' ? undefined : urlPolicy.problem(url);
    return message === undefined ? [] : [{ path: endpointPaths[name], message }];
  });
}
