import type { DequeuedMessage, HostQueue } from './host-queue.ts';
import { describeError, type HostLog } from './log.ts';

export interface MessageLease {
  /** Stops renewing and gives the receipt with which the message can be deleted or released. */
  end(): Promise<string>;
}

export interface MessageLeaseOptions {
  readonly queue: HostQueue;
  readonly message: DequeuedMessage;
  readonly leaseSeconds: number;
  readonly log: HostLog;
}

/**
 * Keeps a message invisible while it is worked on: renewed at half of its time, so that one slow or failed renewal does
 * no harm. Each renewal changes the receipt.
 */
export function holdMessage({ queue, message, leaseSeconds, log }: MessageLeaseOptions): MessageLease {
  let receipt = message.popReceipt;
  let renewal = Promise.resolve();
  const renew = async (): Promise<void> => {
    try {
      const renewed = await queue.updateMessage(message.messageId, receipt, message.messageText, leaseSeconds);
      receipt = renewed.popReceipt ?? receipt;
    } catch (error) {
      log('warn', 'A queue message could not be kept invisible', {
        messageId: message.messageId,
        error: describeError(error),
      });
    }
  };
  const interval = setInterval(() => {
    renewal = renewal.then(renew);
  }, leaseSeconds * 500);
  return {
    async end() {
      clearInterval(interval);
      await renewal;
      return receipt;
    },
  };
}
