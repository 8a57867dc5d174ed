import type { InvocationContext, StorageQueueOutput } from '@azure/functions';
import type { BrokerSource } from '../http/serve.ts';
import { batchMessage } from './batch-message.ts';

/** The timer: finds what is due and puts it on the queue. */
export function refreshSweep(broker: BrokerSource, queue: StorageQueueOutput) {
  return async (_timer: unknown, context: InvocationContext): Promise<void> => {
    const { batches } = await broker().startSweep({ trigger: 'automatic', org: null });
    context.extraOutputs.set(queue, batches.map(batchMessage));
  };
}
