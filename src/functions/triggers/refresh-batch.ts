import type { BrokerSource } from '../http/serve.ts';
import { readBatchMessage } from './batch-message.ts';

/** The queue trigger: refreshes the grants of one message. */
export function refreshBatch(broker: BrokerSource) {
  return async (message: unknown): Promise<void> => {
    await broker().workBatch(readBatchMessage(message));
  };
}
