import { type FlowType, mintsTokens } from '../domain/connection.ts';
import { BrokerError, type ProviderErrorCode } from '../domain/errors.ts';
import type { RegisteredError } from '../domain/registered-errors.ts';
import type { Secret } from '../domain/secret.ts';
import type { ProviderAnswer } from './provider-call.ts';
import { describeProviderError } from './provider-text.ts';
import { isSuccess, type ProviderSaid } from './response-normaliser.ts';
import { retryAfterSeconds } from './retry-after.ts';

export type GrantType = Exclude<FlowType, 'api_key'>;

export interface FailedCall {
  readonly answer: Pick<ProviderAnswer, 'status' | 'headers'>;
  /** What the body said. Undefined where it said nothing in OAuth's terms. */
  readonly said: ProviderSaid | undefined;
  readonly grantType: GrantType;
  /** What was in the request and must not come back in a log. */
  readonly secrets: readonly Secret[];
}

const meaning: Readonly<Record<RegisteredError, ProviderErrorCode>> = {
  invalid_grant: 'needs_reauthorization',
  interaction_required: 'needs_reauthorization',
  login_required: 'needs_reauthorization',
  consent_required: 'needs_reauthorization',
  account_selection_required: 'needs_reauthorization',
  invalid_client: 'provider_rejected_client',
  unauthorized_client: 'provider_rejected_client',
  invalid_request: 'provider_rejected_request',
  invalid_scope: 'provider_rejected_request',
  invalid_target: 'provider_rejected_request',
  unsupported_grant_type: 'provider_rejected_request',
  server_error: 'provider_unavailable',
  temporarily_unavailable: 'provider_unavailable',
  slow_down: 'provider_unavailable',
};

const usualAdvice = 'Check the scopes, the token URL and the extra parameters.';
const requestAdvice: Readonly<Partial<Record<GrantType, string>>> = {
  jwt_bearer: 'Check client_id, private_key, the variables and the scopes.',
  token_exchange: 'Check subject_token, its type, the audience and the scopes.',
};

const passingStatuses = new Set([408, 425, 429]);

/** The error that a token endpoint's answer stands for. Nobody reads the provider's text after this. */
export function classifyFailure(call: FailedCall, now: number): BrokerError {
  const code = codeOf(call);
  const { status, headers } = call.answer;
  const isPassing = code === 'provider_unavailable' || code === 'provider_answer_invalid';
  const wait = isPassing ? retryAfterSeconds(headers.get('retry-after'), now) : undefined;
  const said = call.said === undefined ? '' : describeProviderError(call.said, call.secrets);
  return new BrokerError(code, messageOf(code, call), {
    detail: said === '' ? `status ${status}` : `status ${status}, ${said}`,
    isOutcomeUnknown: isOutcomeUnknown(call),
    ...(wait === undefined ? {} : { retryAfterSeconds: wait }),
  });
}

/** It worked, but what it gave cannot be read; or a gateway speaks for a server whose answer it did not get. */
function isOutcomeUnknown({ answer: { status }, said }: FailedCall): boolean {
  return said === undefined && (isSuccess(status) || status === 502 || status === 504);
}

/** The status speaks first where it says "later": a provider in trouble may claim anything in the body. */
function codeOf({ answer: { status, headers }, said, grantType }: FailedCall): ProviderErrorCode {
  if (status >= 500 || passingStatuses.has(status)) return 'provider_unavailable';
  if (status >= 300 && status <= 399) return 'provider_answer_invalid';
  // Some limit the rate with a 403: what is forbidden for good does not say when to come back.
  if (status === 403 && headers.has('retry-after') && said?.registered === null) return 'provider_unavailable';
  if (said === undefined) {
    // Section 5.2: a 401 with a challenge is about the client's authentication.
    return status === 401 && headers.has('www-authenticate') ? 'provider_rejected_client' : 'provider_answer_invalid';
  }
  if (said.registered === null) return status === 401 ? 'provider_rejected_client' : 'provider_rejected_request';
  const code = meaning[said.registered];
  // A client that speaks for itself has no grant that could die and nobody to ask; who brings a token has another.
  const hasGrant = !mintsTokens(grantType) && grantType !== 'token_exchange';
  if (code === 'needs_reauthorization' && !hasGrant) return 'provider_rejected_request';
  return code;
}

function messageOf(code: ProviderErrorCode, { answer: { status }, said, grantType }: FailedCall): string {
  const reason = said?.registered ?? `status ${status}`;
  switch (code) {
    case 'needs_reauthorization':
      return grantType === 'authorization_code' || grantType === 'device_code'
        ? `The provider did not accept the authorization (${reason}). Authorize again.`
        : `The provider no longer accepts this grant (${reason}). A person has to authorize again.`;
    case 'provider_rejected_client':
      return `The provider rejected the client (${reason}). Check client_id, client_secret and client_auth.`;
    case 'provider_rejected_request':
      return `The provider rejected the request (${reason}). ${requestAdvice[grantType] ?? usualAdvice}`;
    case 'provider_unavailable':
      return `The provider cannot answer for now (${reason}). It will be tried again.`;
    default:
      return `The provider's answer could not be understood (status ${status}). Check the token URL.`;
  }
}
