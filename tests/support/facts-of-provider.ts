import { type FlowType, flowTypes } from '../../src/domain/connection.ts';
import type { Provider } from '../../src/domain/provider.ts';
import { providerEndpoints, providerProfile } from '../../src/domain/provider-templates.ts';
import type { ProviderFacts } from './provider-facts.ts';

/** What can be compared between an entry of the catalogue and the facts. */
export interface Comparable {
  readonly flows: readonly string[];
  readonly authorization: string;
  readonly token: string;
  readonly clientAuth: readonly string[];
  readonly pkce: string;
  readonly authorizeParams: Readonly<Record<string, string>>;
  readonly scopes: string;
  readonly offlineScope: string | null;
  readonly rotation: string;
  readonly accessTokenSeconds: number | null;
  readonly revocation: string;
  readonly userinfo: string;
}

/** The facts in the catalogue's terms. */
export function comparableFacts(facts: ProviderFacts): Comparable {
  const params = statedParams(facts.extra_authorize_params);
  return {
    flows: listed(facts.grants).filter((grant) => flowTypes.includes(grant as FlowType)),
    authorization: facts.authorize_url,
    token: facts.token_url,
    clientAuth: listed(facts.client_auth).map((method) => clientAuthNames[method] ?? method),
    pkce: { required: 'required', supported: 'supported', optional: 'supported' }[facts.pkce] ?? 'ignored',
    authorizeParams: Object.fromEntries(params.filter(([name]) => name !== 'scope')),
    scopes: facts.scope_separator,
    offlineScope: /\(scope (?:must contain )?([\w.]+)/.exec(facts.extra_authorize_params)?.[1] ?? null,
    rotation: rotationMeant(facts.rotates_refresh),
    accessTokenSeconds: Number(facts.access_ttl_s) || null,
    revocation: facts.revoke_url.replace(/ \(Basic\)$/, ''),
    userinfo: facts.userinfo_url.replace(/^POST | \(.*\)$/g, ''),
  };
}

/** An entry in the same terms: what the facts leave open stays open, all else has its default. */
export function comparableEntry(provider: Provider, facts: ProviderFacts): Comparable {
  const open = variableNames(JSON.stringify(facts));
  const values = Object.fromEntries(
    open.filter((name) => Object.hasOwn(provider.variables, name)).map((name) => [name, `{${name}}`]),
  );
  const urls = providerEndpoints(provider, values);
  const { requests, rotation, lives } = providerProfile(provider, values);
  const { separator, isUnused, offline } = provider.scopes;
  const stated = comparableFacts(facts);
  return {
    flows: provider.flows.toSorted(),
    authorization: urls.authorizationUrl ?? '',
    token: urls.tokenUrl,
    clientAuth: [...new Set(provider.clientAuth.map((method) => method.replace(/_(raw|as_user)$/, '')))].toSorted(),
    pkce: requests.pkce,
    authorizeParams: requests.authorizeParams,
    scopes: isUnused ? 'none' : separator,
    offlineScope: stated.offlineScope === null ? null : offline,
    rotation: rotation === 'unknown' ? 'strict' : rotation,
    accessTokenSeconds: lives.accessTokenSeconds,
    revocation: revocationOf(provider, urls.revocationUrl, stated.revocation.includes('(')),
    userinfo: urls.userinfoUrl ?? urls.testUrl ?? '',
  };
}

const clientAuthNames: Readonly<Record<string, string>> = {
  body: 'client_secret_post',
  basic: 'client_secret_basic',
};

function listed(text: string): readonly string[] {
  return text
    .split('|')
    .map((item) => item.trim())
    .filter((item) => item !== '')
    .toSorted();
}

/** `a=b&c=d`; what is called optional in brackets is left out. Of a choice, the first. */
function statedParams(text: string): readonly [string, string][] {
  const stated = /\((optional|[^)]*\bonly)\)/.test(text) ? '' : text.replace(/\(.*\)/, '');
  return stated
    .split(/&|, /)
    .map((pair) => pair.trim().split('='))
    .filter(([name]) => name !== '')
    .map(([name = '', value = '']) => [name, value.split(' or ')[0] ?? '']);
}

/** We send PKCE always, and what may rotate is treated as if it did. */
function rotationMeant(text: string): string {
  if (text === 'yes-old-stays-valid') return 'overlap';
  return /^(yes|may|optional)|yes with PKCE/.test(text) ? 'strict' : 'none';
}

function revocationOf({ revocation }: Provider, url: string | null, isStyleStated: boolean): string {
  if (revocation === null || url === null) return '';
  if (!isStyleStated) return `${revocation.method} ${url}`;
  const style = { bearer: ' (bearer)', client_json: ' (Basic client creds)', rfc7009: '' }[revocation.style];
  return `${revocation.method} ${url}${style}`;
}

function variableNames(text: string): readonly string[] {
  return [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '');
}
