import type { Provider } from '../domain/provider.ts';

/** A template of an entry, and where it stands. */
export interface Placed {
  readonly path: readonly string[];
  readonly template: string;
}

/** Filled in by whoever sends the request. */
const ownNames = new Set(['client_id']);

export function endpointTemplates({ endpoints }: Provider): readonly Placed[] {
  return placed(['endpoints'], endpoints);
}

/** Whatever may hold `{variable}`. */
export function allTemplates(provider: Provider): readonly Placed[] {
  const { requests, jwt } = provider;
  return [
    ...endpointTemplates(provider),
    ...placed(['requests', 'authorizeParams'], requests.authorizeParams),
    ...placed(['requests', 'tokenParams'], requests.tokenParams),
    ...placed(['requests', 'headers'], requests.headers),
    ...placed(['requests'], { redirectUri: requests.redirectUri }),
    ...(jwt === null ? [] : placed(['jwt'], { issuer: jwt.issuer, subject: jwt.subject, audience: jwt.audience })),
  ];
}

function placed(path: readonly string[], templates: object): readonly Placed[] {
  return Object.entries(templates)
    .filter((entry): entry is [string, string] => typeof entry[1] === 'string')
    .map(([name, template]) => ({ path: [...path, name], template }));
}

/** The variables that a template names. */
export function variablesIn(template: string): readonly string[] {
  return [...template.matchAll(/\{([^{}]*)\}/g)].map(([, name]) => name ?? '').filter((name) => !ownNames.has(name));
}
