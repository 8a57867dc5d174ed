import type * as oauth from 'oauth4webapi';
import type { BrokerError } from '../domain/errors.ts';
import { isTokenParameter } from '../domain/reserved-parameters.ts';
import type { Secret } from '../domain/secret.ts';
import type { TokenSet } from '../domain/token-set.ts';
import type { OAuthClient } from '../ports/authorization-server.ts';
import { clientAuthentication } from './client-authentication.ts';
import { classifyFailure, type GrantType } from './error-classification.ts';
import { callProvider, type RequestOptions, type Transport } from './provider-call.ts';
import { normaliseAnswer } from './response-normaliser.ts';
import { shapeOf } from './response-shape.ts';
import { textOf, toTokenSet } from './token-response.ts';

export interface TokenRequest {
  readonly client: OAuthClient;
  readonly grantType: GrantType;
  /** What the request carries, to be kept out of logs. */
  readonly secrets: readonly Secret[];
  /** False: the request says itself who the client is. */
  readonly authenticatesClient?: boolean;
  /** Default: the token endpoint. */
  readonly endpoint?: string | null;
  readonly send: (authentication: oauth.ClientAuth, options: RequestOptions) => Promise<Response>;
}

export interface IssuedTokens {
  readonly tokenSet: TokenSet;
  /** Not checked. */
  readonly idToken: string | null;
}

/** How the flows make their requests. */
export type Request = (tokenRequest: TokenRequest) => Promise<IssuedTokens>;

export type TokenAnswer =
  | ({ readonly kind: 'issued' } & IssuedTokens)
  /** `error`: the provider's own word for what went wrong, in lower case. `failure`: what it means, but for polling. */
  | { readonly kind: 'failed'; readonly error: string; readonly failure: BrokerError };

/** One request to the token endpoint: sent once, normalised, judged. */
export async function askForTokens(transport: Transport, request: TokenRequest): Promise<TokenAnswer> {
  const { client, grantType } = request;
  const authentication =
    request.authenticatesClient === false ? unauthenticated : clientAuthentication(client, transport);
  const { requests, answers } = client.profile;
  const shape = shapeOf(answers);
  const endpoint = request.endpoint ?? client.config.endpoints.tokenUrl;
  const answer = await callProvider(transport, endpoint, (options) => request.send(authentication, options), {
    requests,
  });
  const { status, headers, text } = answer;
  const normalised = normaliseAnswer({ status, contentType: headers.get('content-type'), text }, shape);
  const tokenSet =
    normalised.kind === 'tokens' ? toTokenSet(normalised, answer.requestedAt, client.profile) : undefined;
  if (normalised.kind === 'tokens' && tokenSet !== undefined) {
    return { kind: 'issued', tokenSet, idToken: textOf(normalised.fields.id_token) };
  }
  const secrets = client.clientSecret === null ? request.secrets : [...request.secrets, client.clientSecret];
  const said = normalised.kind === 'error' ? normalised.said : undefined;
  const failure = classifyFailure({ answer, said, grantType, secrets }, transport.clock.now());
  return { kind: 'failed', error: said?.error.trim().toLowerCase() ?? '', failure };
}

/** The same, where everything but tokens is a failure. Throws what `classifyFailure` makes of it. */
export async function requestTokens(transport: Transport, request: TokenRequest): Promise<IssuedTokens> {
  const answer = await askForTokens(transport, request);
  if (answer.kind === 'issued') return answer;
  throw answer.failure;
}

function unauthenticated(): void {}

/** The provider's and the connection's own parameters for the token endpoint (`audience` and the like). */
export function extraTokenParameters({ config, profile }: OAuthClient): Record<string, string> {
  const extra = Object.entries({ ...profile.requests.tokenParams, ...config.extraTokenParams });
  return Object.fromEntries(extra.filter(([name]) => !isTokenParameter(name)));
}
