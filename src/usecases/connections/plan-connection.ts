import { type ConnectionConfig, needsPerson } from '../../domain/connection.ts';
import { BrokerError } from '../../domain/errors.ts';
import type { ConnectionName, OrgId } from '../../domain/ids.ts';
import type { Secret } from '../../domain/secret.ts';
import type { Dependencies } from '../dependencies.ts';
import { assertApiKeyFits } from './api-key-grant.ts';
import { type ConfigInput, completeConfig } from './complete-config.ts';
import { assertValidConfig } from './connection-input.ts';
import type { SigningKeyInput } from './signing-key.ts';

export interface NewConnection {
  readonly org: OrgId;
  readonly name: ConnectionName;
  readonly callerId: string;
  readonly config: ConfigInput;
  readonly clientSecret: Secret | null;
  readonly fallbackApiKey: Secret | null;
  readonly refreshToken: Secret | null;
  readonly signingKey: SigningKeyInput;
  /** For the flow `api_key`: what is served. */
  readonly apiKey: Secret | null;
  /** Get the first token at once, where no person is needed. */
  readonly connect: boolean;
  /** Secrets that it needs may be set later, as after an import. */
  readonly mayLackSecrets?: boolean;
}

export type CreationNeeds = Pick<Dependencies, 'providers' | 'authorizationServer' | 'urlPolicy'>;

/**
 * Checks everything about a new connection but its signing key and whether there is one of its name. Resolves to its
 * configuration, complete. Throws `validation_failed` or `url_not_allowed` with every problem.
 */
export async function assertCreatable(needs: CreationNeeds, request: NewConnection): Promise<ConnectionConfig> {
  const { org, clientSecret, mayLackSecrets = false } = request;
  const config = await completeConfig(needs, request.config);
  const isExcused = mayLackSecrets && config.clientAuth.startsWith('client_secret');
  assertValidConfig(config, {
    org,
    hasClientSecret: clientSecret !== null || isExcused,
    urlPolicy: needs.urlPolicy,
  });
  assertRefreshTokenFits(request);
  assertApiKeyFits(config, request.apiKey, { isNeeded: !mayLackSecrets });
  return config;
}

function assertRefreshTokenFits({ config, refreshToken, connect }: NewConnection): void {
  if (refreshToken !== null && config.flowType !== 'refresh_token') {
    const message = 'is for oauth_flow_type refresh_token; import tokens of other flows with POST .../tokens';
    throw new BrokerError('validation_failed', `refresh_token ${message}`, {
      details: [{ path: 'refresh_token', message }],
    });
  }
  if (
    connect &&
    (needsPerson(config.flowType) || config.flowType === 'token_exchange' || config.flowType === 'api_key')
  ) {
    const message = 'is for flows that get a token by themselves';
    throw new BrokerError('validation_failed', `connect ${message}`, { details: [{ path: 'connect', message }] });
  }
}
