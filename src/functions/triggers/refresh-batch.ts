import type { InvocationContext, StorageQueueOutput } from '@azure/functions';
import type { BrokerSource } from '../http/serve.ts';
import { readBatchMessage } from './batch-message.ts';
import { deviceMessage, isDeviceMessage, readDeviceMessage } from './device-message.ts';
import { isRekeyMessage, readRekeyMessage, rekeyMessage } from './rekey-message.ts';
import { isRevokeMessage, readRevokeMessage } from './revoke-message.ts';

/**
 * The queue trigger: refreshes the grants of one message, asks once about a device authorization, tries a revocation
 * again, or works through one step of a rekey job.
 */
export function refreshBatch(broker: BrokerSource, queue: StorageQueueOutput) {
  return async (message: unknown, context: InvocationContext): Promise<void> => {
    const isRedelivered = Number(context.triggerMetadata?.dequeueCount ?? 1) > 1;
    if (isDeviceMessage(message)) {
      const next = await broker().pollDevice({ ...readDeviceMessage(message), isRedelivered });
      if (next !== null) context.extraOutputs.set(queue, [deviceMessage(next)]);
      return;
    }
    if (isRevokeMessage(message)) {
      await broker().workRevocation(readRevokeMessage(message));
      return;
    }
    if (!isRekeyMessage(message)) {
      await broker().workBatch(readBatchMessage(message));
      return;
    }
    const next = await broker().workRekey({ ...readRekeyMessage(message), isRedelivered });
    if (next !== null) context.extraOutputs.set(queue, [rekeyMessage(next)]);
  };
}
