import type { InvocationContext, StorageQueueOutput } from '@azure/functions';
import type { BrokerSource } from '../http/serve.ts';
import { readBatchMessage } from './batch-message.ts';
import { isRekeyMessage, readRekeyMessage, rekeyMessage } from './rekey-message.ts';

/** The queue trigger: refreshes the grants of one message, or works through one step of a rekey job. */
export function refreshBatch(broker: BrokerSource, queue: StorageQueueOutput) {
  return async (message: unknown, context: InvocationContext): Promise<void> => {
    if (!isRekeyMessage(message)) {
      await broker().workBatch(readBatchMessage(message));
      return;
    }
    const isRedelivered = Number(context.triggerMetadata?.dequeueCount ?? 1) > 1;
    const next = await broker().workRekey({ ...readRekeyMessage(message), isRedelivered });
    if (next !== null) context.extraOutputs.set(queue, [rekeyMessage(next)]);
  };
}
