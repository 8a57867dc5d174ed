import type { InvocationContext, StorageQueueOutput } from '@azure/functions';
import type { Broker } from '../../usecases/broker.ts';
import type { BrokerSource } from '../http/serve.ts';
import { batchMessage } from './batch-message.ts';
import { rekeyMessage } from './rekey-message.ts';

/**
 * The timer: finds what is due and puts it on the queue, with the next step of a rekey job that has not ended: said
 * twice it does no harm, and its message may have been given up. A rekey job that cannot be read stops no sweep.
 */
export function refreshSweep(broker: BrokerSource, queue: StorageQueueOutput) {
  return async (_timer: unknown, context: InvocationContext): Promise<void> => {
    const { batches } = await broker().startSweep({ trigger: 'automatic', org: null });
    context.extraOutputs.set(queue, [...batches.map(batchMessage), ...(await rekeySteps(broker()))]);
  };
}

async function rekeySteps({ unfinishedRekey, logger }: Broker) {
  try {
    const rekey = await unfinishedRekey();
    return rekey === null ? [] : [rekeyMessage(rekey)];
  } catch (cause) {
    logger.error('rekey_not_continued', { cause });
    return [];
  }
}
