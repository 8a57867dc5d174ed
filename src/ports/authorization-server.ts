import type { ConnectionConfig, Endpoints } from '../domain/connection.ts';
import type { Tokens } from '../domain/grant.ts';
import type { ProviderProfile } from '../domain/provider.ts';
import type { Secret } from '../domain/secret.ts';
import type { TokenSet } from '../domain/token-set.ts';

/** A connection as its authorization server knows it. */
export interface OAuthClient {
  readonly config: ConnectionConfig;
  /** How its provider wants to be spoken to. */
  readonly profile: ProviderProfile;
  /** Where the provider sends people back to. */
  readonly redirectUri: string;
  readonly clientSecret: Secret | null;
  /** A private JWK (RFC 7517) with `alg`, and `kid` where assertions name it. */
  readonly signingKey: Secret | null;
}

export interface AuthorizationRequest {
  readonly redirectUri: string;
  readonly codeVerifier: Secret;
  readonly nonce: Secret;
  /** As given by the administrator or the caller; null: none is sent. */
  readonly scopes: string | null;
  readonly loginHint: string | null;
  readonly prompt: string | null;
}

export interface CodeRedemption {
  /** The callback's query, as it arrived. */
  readonly parameters: URLSearchParams;
  readonly state: Secret;
  readonly redirectUri: string;
  readonly codeVerifier: Secret;
  readonly nonce: Secret;
}

export interface ProbeResult {
  /** `forbidden`: the token is good, and may not read the test endpoint. */
  readonly outcome: 'accepted' | 'rejected' | 'forbidden' | 'unclear';
  /** For people: the provider's status, never its body. */
  readonly message: string;
}

/** A device authorization that was begun (RFC 8628 section 3.2). */
export interface DeviceAuthorization {
  readonly deviceCode: Secret;
  /** What the person enters at `verificationUri`. */
  readonly userCode: string;
  readonly verificationUri: string;
  /** The same page with the code filled in. Null where the provider gives none. */
  readonly verificationUriComplete: string | null;
  readonly lifeSeconds: number;
  /** How often to ask at most. */
  readonly intervalSeconds: number;
}

export type DevicePoll =
  /** The person has not decided yet. `slowDown`: it was asked too often. */
  { readonly kind: 'pending'; readonly slowDown: boolean } | { readonly kind: 'issued'; readonly issued: TokenSet };

/** Somebody's token, to be exchanged for another (RFC 8693 section 2.1). */
export interface TokenExchange {
  readonly subjectToken: Secret;
  readonly subjectTokenType: string;
  readonly requestedTokenType: string | null;
  readonly audience: string | null;
  readonly resource: string | null;
  /** As given by the caller. Null: the connection's. */
  readonly scopes: string | null;
}

/**
 * The provider's side of OAuth. Every method that calls the provider gives up 8 s after it began and is not repeated.
 * Failures are `BrokerError`s with a `ProviderErrorCode`, judged here once:
 * `needs_reauthorization` (the grant is dead), `provider_rejected_client` (client id or secret is wrong),
 * `provider_rejected_request` (the provider says our request is wrong: another try makes no difference),
 * `provider_unavailable` (429, 5xx, timeout, reset; with `retryAfterSeconds` where the provider gave it),
 * `provider_answer_invalid` (malformed or too large), `url_not_allowed` (the address is refused).
 */
export interface AuthorizationServer {
  /** The provider's authorization page with every parameter but `state`. PKCE is always S256. */
  authorizationUrl(client: OAuthClient, request: AuthorizationRequest): Promise<string>;

  /**
   * Pushes an authorization request (RFC 9126): `page` with its parameters and the state. Resolves to the page's address
   * with nothing in it but the client and a reference, which is good for about a minute.
   */
  pushAuthorization(client: OAuthClient, page: string, state: Secret): Promise<string>;

  /** Begins a device authorization. `scopes` as given by the administrator or the caller. */
  startDevice(client: OAuthClient, scopes: string | null): Promise<DeviceAuthorization>;

  /**
   * Asks once whether the person has decided. Throws `callback_rejected` when they refused or the code has lapsed. The
   * account is that of a checked ID token, or null.
   */
  pollDevice(client: OAuthClient, deviceCode: Secret): Promise<DevicePoll>;

  /** Exchanges somebody's token. What the answer says of a refresh token is left out. */
  exchangeToken(client: OAuthClient, exchange: TokenExchange): Promise<TokenSet>;

  /**
   * Checks the callback's parameters (`state`, `iss` where the issuer is known, `error`) and redeems the code.
   * Throws `callback_rejected` when the callback is not acceptable, and nothing is sent to the provider then.
   * The account is that of a checked ID token, or null.
   */
  redeemCode(client: OAuthClient, redemption: CodeRedemption): Promise<TokenSet>;

  /** Refreshes. The answer holds only what the provider sent: see `mergeTokens`. */
  refresh(client: OAuthClient, refreshToken: Secret): Promise<TokenSet>;

  /** Gets a token with what the client alone has, by the connection's flow: see `mintsTokens`. */
  mint(client: OAuthClient): Promise<TokenSet>;

  /**
   * Revokes at the provider (RFC 7009 or its own way), the refresh token first. Resolves to false where it cannot or
   * does not work. Throws where another try makes sense: `provider_unavailable`, `provider_answer_invalid`,
   * `url_not_allowed` and `provider_rejected_client`.
   */
  revoke(client: OAuthClient, tokens: Tokens): Promise<boolean>;

  /** The provider's answer about a token (RFC 7662), which may repeat it. Null where there is no endpoint. */
  introspect(
    client: OAuthClient,
    token: Secret,
    kind: 'access_token' | 'refresh_token',
  ): Promise<Readonly<Record<string, unknown>> | null>;

  /** The account that userinfo names: its `sub`, else its `id`. Null where there is no userinfo or it does not say. */
  account(client: OAuthClient, accessToken: Secret): Promise<string | null>;

  /**
   * The endpoints that an issuer's metadata names (RFC 8414). Throws `provider_answer_invalid` when there is none, or
   * it names another issuer.
   */
  discover(issuer: string): Promise<Endpoints>;

  /** Calls the connection's test endpoint with the token. Resolves to null where there is none. Never throws for the provider. */
  probe(client: OAuthClient, accessToken: Secret): Promise<ProbeResult | null>;
}
