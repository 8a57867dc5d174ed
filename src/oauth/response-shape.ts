import { type ProviderAnswers, unknownProfile } from '../domain/provider.ts';

/** How a provider spells what RFC 6749 section 5 says. Data only: what an odd provider needs is said here. */
export interface ResponseShape {
  /** Where to look for the access token and its companions, as paths of names; '' is the answer itself. */
  readonly tokenContainers: readonly string[];
  readonly accessTokenField: string;
  readonly scopeField: string;
  /** Where to look for the error code. */
  readonly errorPaths: readonly string[];
  /** Where to look for a text about the error. */
  readonly descriptionPaths: readonly string[];
  /** The provider's names for errors, in lower case, and the registered code that each means. */
  readonly errorNames: Readonly<Record<string, string>>;
  /** Whether an `expires_in` of zero or less says that the token has lapsed, or that it never will. */
  readonly nonPositiveLife: 'lapsed' | 'endless';
}

const deadGrantNames = [
  'account_inactive',
  'bad_refresh_token',
  'bad_verification_code',
  'code_already_used',
  'code_expired',
  'expired_refresh_token',
  'expired_token',
  'grant_revoked',
  'invalid_code',
  'invalid_refresh_token',
  'invalid_token',
  'invalidgrant',
  'refresh_token_expired',
  'refresh_token_invalid',
  'refresh_token_not_found',
  'refresh_token_revoked',
  'revoked_token',
  'token_expired',
  'token_inactive',
  'token_revoked',
];

const rejectedClientNames = [
  'bad_client_secret',
  'client_not_found',
  'incorrect_client_credentials',
  'invalid_client_credentials',
  'invalid_client_id',
  'invalid_client_secret',
  'invalidclient',
];

const passingNames = [
  'internal_error',
  'internal_server_error',
  'rate_limit_exceeded',
  'rate_limited',
  'ratelimited',
  'request_timeout',
  'service_unavailable',
  'throttled',
  'too_many_requests',
];

/** What is understood of a provider that nobody described. */
export const defaultShape: ResponseShape = {
  ...unknownProfile.answers,
  errorPaths: [
    'error',
    'error.code',
    'error.type',
    'error.status',
    'errorCode',
    'error_code',
    'errors.0.errorType',
    'errors.0.code',
  ],
  descriptionPaths: [
    'error_description',
    'error.message',
    'error.description',
    'errors.0.message',
    'error_message',
    'errorSummary',
    'message',
  ],
  errorNames: Object.fromEntries([
    ...deadGrantNames.map((name) => [name, 'invalid_grant']),
    ...rejectedClientNames.map((name) => [name, 'invalid_client']),
    ...passingNames.map((name) => [name, 'temporarily_unavailable']),
  ]),
};

/** What is understood of a provider's answers: what is said of it, before what everybody may say. */
export function shapeOf(answers: ProviderAnswers): ResponseShape {
  return {
    ...answers,
    errorPaths: [...answers.errorPaths, ...defaultShape.errorPaths],
    descriptionPaths: defaultShape.descriptionPaths,
    errorNames: { ...defaultShape.errorNames, ...answers.errorNames },
  };
}
