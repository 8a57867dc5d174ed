import type { BrokerSource } from '../http/serve.ts';

/** The timer: goes on with the comparison of index and grants, or begins one when it is time. */
export function refreshReconcile(broker: BrokerSource) {
  return async (): Promise<void> => {
    await broker().reconcile();
  };
}
