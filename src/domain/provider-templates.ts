import type { Endpoints } from './connection.ts';
import type { ErrorDetail } from './errors.ts';
import type { Provider, ProviderProfile } from './provider.ts';

export type Variables = Readonly<Record<string, string>>;

/** What is wrong with the values that an administrator gave for a provider's variables. */
export function variableProblems(provider: Provider, given: Variables): ErrorDetail[] {
  const unknown = Object.keys(given)
    .filter((name) => !Object.hasOwn(provider.variables, name))
    .map((name) => ({ path: `variables.${name}`, message: 'is not a variable of the provider' }));
  const wrong = Object.entries(provider.variables).flatMap(([name, { pattern, choices, default: usual }]) => {
    const path = `variables.${name}`;
    const value = given[name] ?? usual;
    if (value === null) return [{ path, message: 'is needed' }];
    if (value === '' && usual === '') return [];
    if (choices !== null && !Object.hasOwn(choices, value)) {
      return [{ path, message: `must be one of: ${Object.keys(choices).join(', ')}` }];
    }
    return new RegExp(`^(?:${pattern})$`).test(value) ? [] : [{ path, message: `must match ^${pattern}$` }];
  });
  return [...unknown, ...wrong];
}

/** The provider's endpoints with the variables filled in. Only for variables without problems. */
export function providerEndpoints({ endpoints, variables }: Provider, given: Variables): Endpoints {
  const url = (template: string | null) =>
    template === null ? null : withoutEmptyQuery(fillTemplate(template, valuesOf(variables, given)));
  return {
    authorizationUrl: url(endpoints.authorization),
    tokenUrl: url(endpoints.token) ?? '',
    refreshUrl: url(endpoints.refresh),
    issuer: url(endpoints.issuer),
    revocationUrl: url(endpoints.revocation),
    introspectionUrl: url(endpoints.introspection),
    userinfoUrl: url(endpoints.userinfo),
    testUrl: url(endpoints.test),
    deviceAuthorizationUrl: url(endpoints.deviceAuthorization),
    pushedAuthorizationUrl: url(endpoints.pushedAuthorization),
  };
}

/** What requests and answers go by, with the variables filled in. */
export function providerProfile(provider: Provider, given: Variables): ProviderProfile {
  const values = valuesOf(provider.variables, given);
  const fillAll = (params: Variables) =>
    Object.fromEntries(
      Object.entries(params)
        .map(([name, template]) => [name, fillTemplate(template, values)])
        .filter(([, value]) => value !== ''),
    );
  const { requests } = provider;
  return {
    ...provider,
    requests: {
      ...requests,
      authorizeParams: fillAll(requests.authorizeParams),
      tokenParams: fillAll(requests.tokenParams),
      headers: fillAll(requests.headers),
      redirectUri: requests.redirectUri === null ? null : fillTemplate(requests.redirectUri, values),
    },
    jwt: provider.jwt && {
      ...provider.jwt,
      issuer: fillTemplate(provider.jwt.issuer, values),
      subject: provider.jwt.subject === null ? null : fillTemplate(provider.jwt.subject, values) || null,
      audience: fillTemplate(provider.jwt.audience, values),
    },
  };
}

/** `{name}` becomes its value; a name without a value stays, so that others can fill it in. */
export function fillTemplate(template: string, values: Variables): string {
  return template.replaceAll(/\{([a-z_][a-z0-9_]*)\}/gi, (whole, name: string) =>
    Object.hasOwn(values, name) ? (values[name] ?? whole) : whole,
  );
}

function valuesOf(variables: Provider['variables'], given: Variables): Variables {
  return Object.fromEntries(
    Object.entries(variables).map(([name, { choices, default: usual }]) => {
      const value = given[name] ?? usual ?? '';
      return [name, choices?.[value] ?? value];
    }),
  );
}

/** A variable that may be empty leaves no `name=` behind. */
function withoutEmptyQuery(text: string): string {
  return text.replace(/\?.*$/, (query) => {
    const kept = query
      .slice(1)
      .split('&')
      .filter((pair) => !pair.endsWith('='));
    return kept.length === 0 ? '' : `?${kept.join('&')}`;
  });
}
