import type { InvocationContext, StorageQueueOutput } from '@azure/functions';
import type { BrokerSource } from '../http/serve.ts';
import { readBatchMessage } from './batch-message.ts';
import { deviceMessage, readDeviceMessage } from './device-message.ts';
import { kindOf } from './message-kind.ts';
import { readRekeyMessage, rekeyMessage } from './rekey-message.ts';
import { readRevokeMessage } from './revoke-message.ts';

/**
 * The queue trigger: refreshes the grants of one message, asks once about a device authorization, tries a revocation
 * again, or works through one step of a rekey job.
 */
export function refreshBatch(broker: BrokerSource, queue: StorageQueueOutput) {
  return async (message: unknown, context: InvocationContext): Promise<void> => {
    const isRedelivered = Number(context.triggerMetadata?.dequeueCount ?? 1) > 1;
    switch (kindOf(message)) {
      case 'device': {
        const next = await broker().pollDevice({ ...readDeviceMessage(message), isRedelivered });
        if (next !== null) context.extraOutputs.set(queue, [deviceMessage(next)]);
        return;
      }
      case 'revoke':
        await broker().workRevocation(readRevokeMessage(message));
        return;
      case 'rekey': {
        const next = await broker().workRekey({ ...readRekeyMessage(message), isRedelivered });
        if (next !== null) context.extraOutputs.set(queue, [rekeyMessage(next)]);
        return;
      }
      case undefined:
        await broker().workBatch(readBatchMessage(message));
    }
  };
}
