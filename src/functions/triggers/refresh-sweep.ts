import type { InvocationContext, StorageQueueOutput } from '@azure/functions';
import type { Broker } from '../../usecases/broker.ts';
import type { BrokerSource } from '../http/serve.ts';
import { batchMessage } from './batch-message.ts';
import { rekeyMessage } from './rekey-message.ts';
import { revokeMessage } from './revoke-message.ts';

/**
 * The timer: finds what is due and puts it on the queue, with the revocations that are to be tried again and the next
 * step of a rekey job that has not ended: said twice they do no harm, and their message may have been given up. A rekey
 * job or a revocation that cannot be read stops no sweep.
 */
export function refreshSweep(broker: BrokerSource, queue: StorageQueueOutput) {
  return async (_timer: unknown, context: InvocationContext): Promise<void> => {
    const { batches } = await broker().startSweep({ trigger: 'automatic', org: null });
    const steps = await orNothing(broker(), 'rekey_not_continued', rekeySteps);
    const revocations = await orNothing(broker(), 'revocations_not_continued', revocationSteps);
    context.extraOutputs.set(queue, [...batches.map(batchMessage), ...steps, ...revocations]);
  };
}

async function rekeySteps({ unfinishedRekey }: Broker) {
  const rekey = await unfinishedRekey();
  return rekey === null ? [] : [rekeyMessage(rekey)];
}

async function revocationSteps({ dueRevocations }: Broker) {
  return (await dueRevocations()).map(revokeMessage);
}

async function orNothing<Step>(
  broker: Broker,
  event: string,
  steps: (broker: Broker) => Promise<Step[]>,
): Promise<Step[]> {
  try {
    return await steps(broker);
  } catch (cause) {
    broker.logger.error(event, { cause });
    return [];
  }
}
