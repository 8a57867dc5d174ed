import type { FlowType } from '../../domain/connection.ts';
import type { ConnectionName, OrgId, UserId, WorkflowId } from '../../domain/ids.ts';
import type { Secret } from '../../domain/secret.ts';

export interface CredentialsRequest {
  readonly org: OrgId;
  readonly name: ConnectionName;
  readonly userId: UserId | null;
  /** Null: the deployment's default. */
  readonly minTtlSeconds: number | null;
  readonly forceRefresh: boolean;
  /** What the token must be good for, with commas or spaces. Null: whatever was granted. */
  readonly requiredScopes: string | null;
  readonly workflowId: WorkflowId | null;
}

/** What a workflow gets: never a refresh token, never a client secret. */
export interface Credentials {
  readonly connection: ConnectionName;
  readonly org: OrgId;
  readonly userId: UserId | null;
  readonly accessToken: Secret;
  readonly tokenType: string;
  readonly expiresAt: number | null;
  readonly scopes: string | null;
  readonly method: 'saved_token' | 'refreshed' | FlowType;
  readonly metadata: Readonly<Record<string, unknown>>;
}
