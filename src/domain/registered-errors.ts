/** The registered error codes that say something about what to do (RFC 6749, OpenID Connect Core, RFC 8628, RFC 8707). */
export const registeredErrors = [
  'invalid_grant',
  'interaction_required',
  'login_required',
  'consent_required',
  'account_selection_required',
  'invalid_client',
  'unauthorized_client',
  'invalid_request',
  'invalid_scope',
  'invalid_target',
  'unsupported_grant_type',
  'server_error',
  'temporarily_unavailable',
  'slow_down',
] as const;
export type RegisteredError = (typeof registeredErrors)[number];
