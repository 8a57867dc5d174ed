import type { AuditAction } from '../../domain/audit.ts';
import { BrokerError, type ErrorCode, hasCode } from '../../domain/errors.ts';
import type { ConnectionName, UserId } from '../../domain/ids.ts';
import type { Broker } from '../../usecases/broker.ts';
import type { Answer, Route, RouteInput } from './route.ts';

/** Recorded on every route: somebody tried what is not theirs. */
const refusals: readonly ErrorCode[] = [
  'unauthenticated',
  'organization_required',
  'organization_forbidden',
  'role_required',
  'rate_limited',
];

/**
 * Answers a call and records it before the answer leaves: every call of a route that has an action, and on the others
 * what was refused for who asked. Throws what `answer` throws, and `audit_unavailable` where a change or credentials
 * would leave without a record; a refusal that cannot be recorded is logged and stays what it is.
 */
export async function audited(route: Route, broker: Broker, answer: () => Promise<Answer>): Promise<Answer> {
  const answered = await answerOrRecord(route, broker, answer);
  if (route.audit === 'none') return answered;
  try {
    await broker.audit.recordCall(route.audit, 'success');
  } catch (error) {
    throw hasCode(error, 'audit_unavailable') ? withheld(route.audit, error) : error;
  }
  return answered;
}

async function answerOrRecord(route: Route, broker: Broker, answer: () => Promise<Answer>): Promise<Answer> {
  try {
    return await answer();
  } catch (error) {
    const code = error instanceof BrokerError ? error.code : 'internal_error';
    const action = route.audit !== 'none' ? route.audit : refusals.includes(code) ? 'access.refused' : undefined;
    if (action !== undefined) await recordRefusal(broker, action, code);
    throw hasCode(error, 'audit_unavailable') && action !== undefined ? withheld(action, error) : error;
  }
}

async function recordRefusal({ audit, logger, context }: Broker, action: AuditAction, code: ErrorCode): Promise<void> {
  try {
    await audit.recordCall(action, code);
  } catch (cause) {
    logger.error('audit_not_written', { action, outcome: code, ...context.current().call?.facts, cause });
  }
}

function withheld(action: AuditAction, cause: BrokerError): BrokerError {
  const { detail, retryAfterSeconds } = cause;
  const why =
    action === 'credential.read'
      ? 'No credentials leave without a record.'
      : 'The change may have been made all the same: look before you repeat it.';
  return new BrokerError('audit_unavailable', `The audit log cannot be written. ${why}`, {
    ...(detail !== undefined && { detail }),
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    cause,
  });
}

interface Named {
  readonly connection_name?: ConnectionName;
  readonly user_id?: UserId | null;
  readonly workflow_id?: string;
  readonly id?: string;
}

/** What a call is about, by the names that all routes use. It is checked input, and none of it is secret. */
export function factsOf({ params, query, body }: RouteInput<unknown, unknown, unknown>) {
  const named = { ...(body as Named), ...(query as Named), ...(params as Named) };
  return {
    connection: named.connection_name ?? null,
    userId: named.user_id ?? null,
    detail: {
      ...(named.workflow_id !== undefined && { workflow_id: named.workflow_id }),
      ...(named.id !== undefined && { id: named.id }),
    },
  };
}
