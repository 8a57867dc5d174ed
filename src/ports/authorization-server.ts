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
   * Checks the callback's parameters (`state`, `iss` where the issuer is known, `error`) and redeems the code.
   * Throws `callback_rejected` when the callback is not acceptable, and nothing is sent to the provider then.
   * The account is that of a checked ID token, or null.
   */
  redeemCode(client: OAuthClient, redemption: CodeRedemption): Promise<TokenSet>;

  /** Refreshes. The answer holds only what the provider sent: see `mergeTokens`. */
  refresh(client: OAuthClient, refreshToken: Secret): Promise<TokenSet>;

  clientCredentials(client: OAuthClient): Promise<TokenSet>;

  /** Revokes at the provider (RFC 7009), the refresh token first. Resolves to false where it cannot or does not work. */
  revoke(client: OAuthClient, tokens: Tokens): Promise<boolean>;

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
