import type { ClientAuthMethod, FlowType, ScopeSeparator, SigningAlgorithm } from './connection.ts';

/**
 * What the broker knows of a provider. `proven`: described by hand and run against a stand-in with the provider's
 * quirks. `listed`: taken from public facts and not verified.
 */
export const providerTiers = ['proven', 'listed'] as const;
export type ProviderTier = (typeof providerTiers)[number];

/**
 * What becomes of a refresh token when it is used. `strict`: it is good once, and using it again may end the grant.
 * `overlap`: a new one comes each time and the old one stays good for a while. `none`: it stays the same.
 * `unknown` is treated as `strict`.
 */
export const rotations = ['strict', 'overlap', 'none', 'unknown'] as const;
export type Rotation = (typeof rotations)[number];

/** Something of an endpoint's address, or of a parameter, that only the administrator knows. */
export interface ProviderVariable {
  readonly label: string;
  readonly description: string | null;
  /** A regular expression that the whole value matches. Never one that lets a host or a path be escaped from. */
  readonly pattern: string;
  readonly example: string;
  /** Null: it must be given. */
  readonly default: string | null;
  /** Where there is a choice: each value, and what stands for it in the templates. */
  readonly choices: Readonly<Record<string, string>> | null;
}

/** Addresses with `{variable}` in them. Null: the provider has none. */
export interface ProviderEndpoints {
  readonly authorization: string | null;
  readonly token: string;
  /** Where refresh tokens are used, when that is not the token endpoint. */
  readonly refresh: string | null;
  readonly issuer: string | null;
  readonly revocation: string | null;
  readonly introspection: string | null;
  readonly userinfo: string | null;
  readonly test: string | null;
  readonly deviceAuthorization: string | null;
  /** RFC 9126. */
  readonly pushedAuthorization: string | null;
}

/** How requests to the authorization server differ from RFC 6749. Parameters may hold `{variable}`. */
export interface ProviderRequests {
  /** S256 is sent always. `required`: the provider insists. `ignored`: it is not known to look. */
  readonly pkce: 'required' | 'supported' | 'ignored';
  readonly authorizeParams: Readonly<Record<string, string>>;
  readonly tokenParams: Readonly<Record<string, string>>;
  readonly bodyFormat: 'form' | 'json';
  /** Sent with every request to the provider, to userinfo and the test endpoint as well. */
  readonly headers: Readonly<Record<string, string>>;
  /** How userinfo, the test endpoint and a revocation by `bearer` are given the access token. */
  readonly tokenHeader: { readonly name: string; readonly prefix: string };
  /** Names of parameters that the provider spells in its own way (`client_id` as `client_key`). */
  readonly renamedParams: Readonly<Record<string, string>>;
  /** The redirect URI that the provider knows under a name of its own. Null: Bowline's. */
  readonly redirectUri: string | null;
  /** A refresh repeats `redirect_uri`. */
  readonly repeatsRedirectUri: boolean;
  /** What the callback calls the code. */
  readonly codeParam: string;
}

export interface ProviderScopes {
  readonly separator: ScopeSeparator;
  /** Sent where the administrator names none. */
  readonly default: string | null;
  /** The same for a client that speaks for itself. Null: as `default`. Empty: none. */
  readonly clientDefault: string | null;
  /** Without this scope there is no refresh token. */
  readonly offline: string | null;
  /** The provider takes no `scope`: what is allowed is set where the client is registered. */
  readonly isUnused: boolean;
  /** Names under which granted scopes come back, and the name that each is asked for by. */
  readonly aliases: Readonly<Record<string, string>>;
}

/** How long things live, where the answer does not say. */
export interface ProviderLives {
  /** Of an access token whose answer states no life. Null: it is taken for endless. */
  readonly accessTokenSeconds: number | null;
  /** Of an unused refresh token. Null: not known, or endless. */
  readonly refreshTokenSeconds: number | null;
  /** How often an unused grant is refreshed so that its refresh token stays alive. */
  readonly keepAliveSeconds: number;
  /** A refresh earlier than this before the end is refused, or changes nothing. Null: any time will do. */
  readonly refreshMarginSeconds: number | null;
}

/** How the provider spells what RFC 6749 section 5 says. Empty: as everybody does. */
export interface ProviderAnswers {
  /** Where the access token and its companions lie, as paths of names; '' is the answer itself. */
  readonly tokenContainers: readonly string[];
  readonly accessTokenField: string;
  readonly scopeField: string;
  /** Further places of the error code, looked at first. */
  readonly errorPaths: readonly string[];
  /** The provider's names for errors, in lower case, and the registered code that each means. */
  readonly errorNames: Readonly<Record<string, string>>;
  /** What an `expires_in` of zero means. */
  readonly nonPositiveLife: 'lapsed' | 'endless';
}

/** What is kept of what the provider says beside the token, for whoever calls the provider's API. */
export interface ProviderMetadata {
  /** Parameters of the callback, and the names under which they are kept. */
  readonly fromCallback: Readonly<Record<string, string>>;
  /** Fields of the token answer. Null: all that are not secret. */
  readonly fromAnswer: readonly string[] | null;
  /** Where the answer names the account, as a path. Null: it does not. */
  readonly accountPath: string | null;
  /** The same for userinfo's answer. Null: `sub`, else `id`. */
  readonly userinfoAccountPath: string | null;
}

/**
 * How a token is revoked. `rfc7009`: a form with `token`, the client authenticated. `bearer`: a request with the token
 * itself as authorization and nothing else. `client_json`: JSON `{"access_token"}` with the client by HTTP Basic.
 */
export const revocationStyles = ['rfc7009', 'bearer', 'client_json'] as const;

/** What ends with a revoked token: its own grant, or everything that the account granted to the client. */
export const revocationReaches = ['token', 'account'] as const;

export interface ProviderRevocation {
  readonly style: (typeof revocationStyles)[number];
  readonly method: 'POST' | 'DELETE';
  /** For `rfc7009`. Null: as token requests are sent. */
  readonly bodyFormat: 'form' | 'json' | null;
  /** Several connections may share one token, so that revoking one's ends the others': only on request. */
  readonly isShared: boolean;
  /** `account`: tokens of an authorization that was refused are not revoked, for that would end grants that are kept. */
  readonly reach: (typeof revocationReaches)[number];
}

/** RFC 7523 as the provider has it. */
export interface ProviderJwt {
  /** `assertion`: a grant at the token endpoint. `bearer`: the JWT is the authorization of a POST to it. */
  readonly style: 'assertion' | 'bearer';
  readonly algorithm: SigningAlgorithm;
  /** Templates of claims; `{client_id}` and the variables may stand in them. */
  readonly issuer: string;
  readonly subject: string | null;
  readonly audience: string;
  /** Where scopes go. */
  readonly scopesIn: 'claim' | 'parameter' | 'nowhere';
  /** The client authenticates beside the assertion. False: the assertion alone will do. */
  readonly authenticatesClient: boolean;
  readonly lifeSeconds: number;
}

/** What an administrator should know. */
export interface ProviderGuide {
  /** Where a client is registered. */
  readonly registerAt: string | null;
  readonly documentation: string | null;
  /** What to enter there, and what goes wrong. */
  readonly notes: readonly string[];
}

/** A catalogue entry: how to speak to one authorization server, with its quirks. Data only. */
export interface Provider {
  readonly id: string;
  readonly name: string;
  readonly tier: ProviderTier;
  readonly flows: readonly FlowType[];
  readonly variables: Readonly<Record<string, ProviderVariable>>;
  /** The endpoints come from the issuer's metadata (RFC 8414). */
  readonly discovers: boolean;
  readonly endpoints: ProviderEndpoints;
  /** The first is the default. */
  readonly clientAuth: readonly ClientAuthMethod[];
  readonly requests: ProviderRequests;
  readonly scopes: ProviderScopes;
  readonly rotation: Rotation;
  /** For `overlap`: how long the old refresh token stays good. Null: it is not taken back. */
  readonly overlapSeconds: number | null;
  readonly lives: ProviderLives;
  readonly answers: ProviderAnswers;
  readonly metadata: ProviderMetadata;
  /** Null: the provider's tokens cannot be revoked by a client. */
  readonly revocation: ProviderRevocation | null;
  readonly jwt: ProviderJwt | null;
  readonly guide: ProviderGuide;
}

const ownFormat = {
  pkce: 'supported',
  authorizeParams: {},
  tokenParams: {},
  bodyFormat: 'form',
  headers: {},
  tokenHeader: { name: 'authorization', prefix: 'Bearer ' },
  renamedParams: {},
  redirectUri: null,
  repeatsRedirectUri: false,
  codeParam: 'code',
} as const satisfies ProviderRequests;

/** What is assumed of an authorization server that nobody described: the standards, and the worst of refresh tokens. */
export const unknownProvider = {
  requests: ownFormat,
  scopes: { separator: 'space', default: null, clientDefault: null, offline: null, isUnused: false, aliases: {} },
  rotation: 'unknown',
  overlapSeconds: null,
  lives: { accessTokenSeconds: null, refreshTokenSeconds: null, keepAliveSeconds: 86_400, refreshMarginSeconds: null },
  answers: {
    tokenContainers: ['', 'authed_user', 'data'],
    accessTokenField: 'access_token',
    scopeField: 'scope',
    errorPaths: [],
    errorNames: {},
    nonPositiveLife: 'lapsed',
  },
  metadata: { fromCallback: {}, fromAnswer: null, accountPath: null, userinfoAccountPath: null },
  revocation: { style: 'rfc7009', method: 'POST', bodyFormat: null, isShared: false, reach: 'token' },
  jwt: null,
} as const satisfies Partial<Provider>;

/** The part of a provider that requests and answers go by. */
export type ProviderProfile = Pick<
  Provider,
  'requests' | 'scopes' | 'rotation' | 'overlapSeconds' | 'lives' | 'answers' | 'metadata' | 'revocation' | 'jwt'
>;

/** The profile of a connection without a provider. */
export const unknownProfile: ProviderProfile = { ...unknownProvider };

/**
 * Whether a refresh token whose use ended unknown, `elapsedMs` ago, may be tried again at once: the provider does not
 * rotate, or still takes the old one.
 */
export function mayRetryRefresh(
  { rotation, overlapSeconds }: Pick<Provider, 'rotation' | 'overlapSeconds'>,
  elapsedMs: number,
): boolean {
  if (rotation === 'none') return true;
  return rotation === 'overlap' && (overlapSeconds === null || elapsedMs < overlapSeconds * 1000);
}
