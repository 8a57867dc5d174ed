import { z } from 'zod';
import { BrokerError } from '../../domain/errors.ts';
import type { RefreshBatch } from '../../usecases/refresh/sweep.ts';
import type { BrokerSource } from '../http/serve.ts';
import { readBatchMessage } from './batch-message.ts';
import { isRekeyMessage } from './rekey-message.ts';

/**
 * The queue of what was given up: reports it. The message is not tried again: the next sweep takes up the grants of a
 * batch, and the rekey job where it stands.
 */
export function refreshPoison(broker: BrokerSource) {
  return async (message: unknown): Promise<void> => {
    if (isRekeyMessage(message)) broker().logger.error('rekey_step_poisoned');
    else await broker().reportPoisoned(batchOf(message));
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
