import type { DuePolicy } from '../domain/due.ts';
import type { AuditLog } from '../ports/audit-log.ts';
import type { AuthorizationServer } from '../ports/authorization-server.ts';
import type { CallerStore } from '../ports/caller-store.ts';
import type { Clock } from '../ports/clock.ts';
import type { ConnectionStore } from '../ports/connection-store.ts';
import type { Digest } from '../ports/digest.ts';
import type { DueIndex } from '../ports/due-index.ts';
import type { GrantStore } from '../ports/grant-store.ts';
import type { JobStore } from '../ports/job-store.ts';
import type { Logger } from '../ports/logger.ts';
import type { ProviderCatalogue } from '../ports/provider-catalogue.ts';
import type { ProviderGate } from '../ports/provider-gate.ts';
import type { Random } from '../ports/random.ts';
import type { RateLimits } from '../ports/rate-limiter.ts';
import type { ReconcileStore } from '../ports/reconcile-store.ts';
import type { RekeyStore } from '../ports/rekey-store.ts';
import type { RevocationStore } from '../ports/revocation-store.ts';
import type { SecretVault } from '../ports/secret-vault.ts';
import type { SigningKeys } from '../ports/signing-keys.ts';
import type { Timers } from '../ports/timers.ts';
import type { TokenVerifier } from '../ports/token-verifier.ts';
import type { TransactionStore } from '../ports/transaction-store.ts';
import type { UrlPolicy } from '../ports/url-policy.ts';
import type { WorkContext } from '../ports/work-context.ts';
import type { WorkflowStore } from '../ports/workflow-store.ts';

/** What a deployment decides. */
export interface BrokerPolicy extends DuePolicy {
  readonly publicBaseUrl: string;
  readonly allowedReturnOrigins: readonly string[];
  readonly requireConnectPage: boolean;
  readonly credentialMinTtlSeconds: number;
  readonly bootstrapAdminKeySha256: string | undefined;
  /** `windowed`: the first read of a caller and grant in a minute is written at once, further ones are counted. */
  readonly auditCredentialReads: 'windowed' | 'every';
  readonly auditRetentionDays: number;
  readonly jobRetentionDays: number;
  /** The tenants of Microsoft Entra whose tokens are taken. */
  readonly entraTenantIds: readonly string[];
  /** A principal without a registration acts for its tenant as the organisation. */
  readonly entraOrgFromTenant: boolean;
}

/** Everything that use cases get from outside. Each takes the part it needs. */
export interface Dependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly digest: Digest;
  readonly timers: Timers;
  readonly context: WorkContext;
  readonly logger: Logger;
  readonly connections: ConnectionStore;
  readonly grants: GrantStore;
  readonly transactions: TransactionStore;
  readonly revocations: RevocationStore;
  readonly workflows: WorkflowStore;
  readonly callers: CallerStore;
  readonly jobs: JobStore;
  readonly dueIndex: DueIndex;
  readonly reconcileRounds: ReconcileStore;
  readonly rekeyJobs: RekeyStore;
  readonly auditLog: AuditLog;
  readonly gate: ProviderGate;
  readonly limits: RateLimits;
  readonly providers: ProviderCatalogue;
  readonly vault: SecretVault;
  readonly tokenVerifier: TokenVerifier;
  readonly signingKeys: SigningKeys;
  readonly authorizationServer: AuthorizationServer;
  readonly urlPolicy: UrlPolicy;
  readonly policy: BrokerPolicy;
}
