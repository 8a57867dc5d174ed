import { z } from 'zod';
import { BrokerError } from '../../domain/errors.ts';
import type { RefreshBatch } from '../../usecases/refresh/sweep.ts';
import type { BrokerSource } from '../http/serve.ts';
import { readBatchMessage } from './batch-message.ts';
import { kindOf } from './message-kind.ts';

const events = { rekey: 'rekey_step_poisoned', device: 'device_step_poisoned', revoke: 'revocation_poisoned' } as const;

const text = z.string().max(100).optional().catch(undefined);
const number = z.number().optional().catch(undefined);
/** What a message is about, as far as it can be read. None of it is secret. */
const subjectSchema = z.object({ job_id: text, id: text, state_hash: text, step: number });

/**
 * The queue of what was given up: reports it. The message is not tried again: the next sweep takes up the grants of a
 * batch, the rekey job where it stands, and revocations; a device authorization lapses.
 */
export function refreshPoison(broker: BrokerSource) {
  return async (message: unknown): Promise<void> => {
    const kind = kindOf(message);
    if (kind === undefined) await broker().reportPoisoned(batchOf(message));
    else broker().logger.error(events[kind], subjectSchema.parse(message));
  };
}

function batchOf(message: unknown): RefreshBatch | undefined {
  try {
    return readBatchMessage(message);
  } catch (error) {
    // A message that was no batch is what brought it here.
    if (error instanceof z.ZodError || error instanceof BrokerError) return undefined;
    throw error;
  }
}
