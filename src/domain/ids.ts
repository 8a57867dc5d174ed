import { BrokerError } from './errors.ts';

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

export type OrgId = Branded<'OrgId'>;
export type ConnectionName = Branded<'ConnectionName'>;
export type WorkflowId = Branded<'WorkflowId'>;
export type UserId = Branded<'UserId'>;

export const orgIdPattern = /^[A-Za-z0-9_-]{1,64}$/;
export const connectionNamePattern = /^[a-zA-Z0-9_-]{1,100}$/;
export const workflowIdPattern = /^[A-Za-z0-9._:~-]{1,128}$/;
export const userIdMaxLength = 256;

/** The organisation whose connections every organisation may read. */
export const GLOBAL = 'GLOBAL' as OrgId;

/** Takes a text as an organisation's id. Throws `validation_failed` when it does not match the pattern. */
export function toOrgId(text: string, path = 'org_id'): OrgId {
  return matching(text, orgIdPattern, path) as OrgId;
}

/** Takes a text as a connection's name. Throws `validation_failed` when it does not match the pattern. */
export function toConnectionName(text: string, path = 'connection_name'): ConnectionName {
  return matching(text, connectionNamePattern, path) as ConnectionName;
}

/** Takes a text as a workflow's id. Throws `validation_failed` when it does not match the pattern. */
export function toWorkflowId(text: string, path = 'workflow_id'): WorkflowId {
  return matching(text, workflowIdPattern, path) as WorkflowId;
}

/** Takes a text as a user's id: any text of 1 to 256 characters. Throws `validation_failed` otherwise. */
export function toUserId(text: string, path = 'user_id'): UserId {
  if (text.length === 0 || text.length > userIdMaxLength) {
    throw invalid(path, `must have 1 to ${userIdMaxLength} characters`);
  }
  return text as UserId;
}

function matching(text: string, pattern: RegExp, path: string): string {
  if (!pattern.test(text)) throw invalid(path, `must match ${pattern.source}`);
  return text;
}

function invalid(path: string, message: string): BrokerError {
  return new BrokerError('validation_failed', `${path} ${message}`, { details: [{ path, message }] });
}
