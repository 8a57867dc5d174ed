import { z } from 'zod';
import { BrokerError } from '../../domain/errors.ts';
import type { RefreshBatch } from '../../usecases/refresh/sweep.ts';
import type { BrokerSource } from '../http/serve.ts';
import { readBatchMessage } from './batch-message.ts';
import { isDeviceMessage } from './device-message.ts';
import { isRekeyMessage } from './rekey-message.ts';
import { isRevokeMessage } from './revoke-message.ts';

/**
 * The queue of what was given up: reports it. The message is not tried again: the next sweep takes up the grants of a
 * batch, the rekey job where it stands, and revocations; a device authorization lapses.
 */
export function refreshPoison(broker: BrokerSource) {
  return async (message: unknown): Promise<void> => {
    if (isRekeyMessage(message)) broker().logger.error('rekey_step_poisoned');
    else if (isDeviceMessage(message)) broker().logger.error('device_step_poisoned');
    else if (isRevokeMessage(message)) broker().logger.error('revocation_poisoned');
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
