/** Parameters of an authorization request that are the broker's: nobody may set them from outside (RFC 9700 section 2). */
const authorizationParameters = new Set([
  'client_id',
  'redirect_uri',
  'response_type',
  'state',
  'scope',
  'code_challenge',
  'code_challenge_method',
  'nonce',
  // RFC 9101: a request object would speak in place of all the others.
  'request',
  'request_uri',
]);

/** The same for a token request. */
const tokenParameters = new Set([
  'grant_type',
  'client_id',
  'client_secret',
  'client_assertion',
  'client_assertion_type',
  'assertion',
  'code',
  'code_verifier',
  'device_code',
  'redirect_uri',
  'refresh_token',
  'scope',
  'subject_token',
  'subject_token_type',
]);

/** In any case of letters: some servers do not tell `Client_Id` from `client_id`. */
export function isAuthorizationParameter(name: string): boolean {
  return authorizationParameters.has(name.trim().toLowerCase());
}

export function isTokenParameter(name: string): boolean {
  return tokenParameters.has(name.trim().toLowerCase());
}
