import type { InvocationContext, StorageQueueOutput } from '@azure/functions';
import type { BrokerSource } from '../http/serve.ts';
import { batchMessage } from './batch-message.ts';
import { rekeyMessage } from './rekey-message.ts';
import { revokeMessage } from './revoke-message.ts';

/**
 * The timer: finds what is due and puts it on the queue, with the revocations that are to be tried again and the next
 * step of a rekey job that has not ended: said twice they do no harm, and their message may have been given up.
 */
export function refreshSweep(broker: BrokerSource, queue: StorageQueueOutput) {
  return async (_timer: unknown, context: InvocationContext): Promise<void> => {
    const rekey = await broker().unfinishedRekey();
    const { batches } = await broker().startSweep({ trigger: 'automatic', org: null });
    const steps = rekey === null ? [] : [rekeyMessage(rekey)];
    const revocations = await broker().dueRevocations();
    context.extraOutputs.set(queue, [...batches.map(batchMessage), ...steps, ...revocations.map(revokeMessage)]);
  };
}
