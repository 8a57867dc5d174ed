import type { ConnectionName, OrgId, UserId } from './ids.ts';
import type { Secret } from './secret.ts';

export const transactionLifeMs = 10 * 60 * 1000;
export const testingLifeMs = 2 * 60 * 1000;

/** One attempt to authorize. It is used once and lives ten minutes, or as long as the provider gives a device. */
export interface Transaction {
  /** SHA-256 of `state`, in hex: the state itself is not kept. */
  readonly stateHash: string;
  readonly connectionOrg: OrgId;
  readonly connection: ConnectionName;
  /** The organisation that the grant will lie in. */
  readonly org: OrgId;
  readonly userId: UserId | null;
  readonly callerId: string;
  /** What a person reads as who asks. */
  readonly callerName: string;
  /** What it was begun under: it must not meet other endpoints. */
  readonly endpointsId: string;
  readonly redirectUri: string;
  readonly scopes: string | null;
  readonly returnUrl: string | null;
  readonly allowAccountChange: boolean;
  readonly createdAt: number;
  readonly expiresAt: number;
  /** True once the connect page was opened: then only the browser that opened it may finish. */
  readonly isBrowserBound: boolean;
  /** Sealed at rest. */
  readonly codeVerifier: Secret;
  readonly nonce: Secret;
  /** The provider's page with every parameter but `state`. */
  readonly authorizationUrl: string;
  /** Sealed at rest. Null: a browser brings the answer. */
  readonly deviceCode: Secret | null;
}
