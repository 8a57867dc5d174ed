import type { Provider, ProviderEndpoints } from '../../../domain/provider.ts';
import type { ProviderCatalogue } from '../../../ports/provider-catalogue.ts';

/** The paths of a stand-in's endpoints, below the provider's id. */
export const endpointPaths = {
  authorization: 'authorize',
  token: 'token',
  refresh: 'refresh',
  revocation: 'revoke',
  introspection: 'introspect',
  userinfo: 'userinfo',
  test: 'test',
  deviceAuthorization: 'device_code',
  pushedAuthorization: 'par',
} as const satisfies Readonly<Record<Exclude<keyof ProviderEndpoints, 'issuer'>, string>>;

export type EndpointName = keyof typeof endpointPaths;

/** A catalogue whose every endpoint lies below `baseUrl`. All else stays as it is: variables are still checked. */
export function mockCatalogue(real: ProviderCatalogue, baseUrl: string): ProviderCatalogue {
  return {
    get: (id) => {
      const entry = real.get(id);
      return entry && redirected(entry, baseUrl);
    },
    list: () => real.list().map((entry) => redirected(entry, baseUrl)),
  };
}

function redirected(entry: Provider, baseUrl: string): Provider {
  const { endpoints, id } = entry;
  const own = (name: EndpointName): string | null => {
    const template = endpoints[name];
    return template === null ? null : `${baseUrl}/${id}/${endpointPaths[name]}${whatVaries(template)}`;
  };
  return {
    ...entry,
    endpoints: {
      authorization: own('authorization'),
      // What is discovered is discovered at the stand-in, too.
      token: entry.discovers ? '' : (own('token') ?? ''),
      issuer: endpoints.issuer === null ? null : `${baseUrl}/${id}`,
      refresh: own('refresh'),
      revocation: own('revocation'),
      introspection: own('introspection'),
      userinfo: own('userinfo'),
      test: own('test'),
      deviceAuthorization: own('deviceAuthorization'),
      pushedAuthorization: own('pushedAuthorization'),
    },
  };
}

/** The client id in the path and the query stay: the provider looks at them. */
function whatVaries(template: string): string {
  const query = /\?.*$/.exec(template)?.[0] ?? '';
  return `${template.includes('{client_id}') ? '/{client_id}' : ''}${query}`;
}
