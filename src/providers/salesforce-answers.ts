/** An hour: half the session timeout that an org begins with. Answers state none. */
export const salesforceLives = { accessTokenSeconds: 3600 } as const;

export const salesforceErrorNames = {
  inactive_org: 'invalid_grant',
  inactive_user: 'invalid_grant',
  invalid_client_id: 'invalid_client',
  rate_limit_exceeded: 'temporarily_unavailable',
  redirect_uri_mismatch: 'invalid_request',
} as const;
