import { setTimeout as sleep } from 'node:timers/promises';
import type { AppFunction } from './app-functions.ts';
import { type DequeuedMessage, decodeMessage, type HostQueue, isMissingQueue, putRawMessage } from './host-queue.ts';
import type { Invoker } from './invocation.ts';
import { describeError, type HostLog } from './log.ts';
import { holdMessage } from './message-lease.ts';
import { queueInput } from './queue-messages.ts';

/** host.json's `extensions.queues`. */
export interface QueueSettings {
  /** How long a failed message waits for its next try. */
  readonly visibilityTimeoutSeconds: number;
  /** After this many failures a message moves to the poison queue. */
  readonly maxDequeueCount: number;
  /** Messages taken at once: 1 to 32. */
  readonly batchSize: number;
  /** The next batch is taken when no more messages than this are being worked on. Default: half of `batchSize`. */
  readonly newBatchThreshold?: number;
  readonly maxPollingIntervalMs: number;
  /** How long a message stays invisible if the host dies while it works on it. Renewed meanwhile. Default 30. */
  readonly leaseSeconds?: number;
}

const defaultLeaseSeconds = 30;
const firstPauseMs = 100;
const poisonSuffix = '-poison';

export interface QueueListener {
  /** Polls at once instead of at the end of the current pause. */
  wake(): void;
  /** Takes no further messages. Resolves when polling has ended and no message is being worked on. */
  stop(): Promise<void>;
}

export interface QueueListenerOptions {
  readonly target: AppFunction;
  readonly queueName: string;
  readonly queue: HostQueue;
  /** Where messages go that keep failing. */
  readonly openPoisonQueue: (queueName: string) => HostQueue;
  readonly settings: QueueSettings;
  readonly invoker: Invoker;
  readonly log: HostLog;
}

/** Polls a queue for its function, with a pause that doubles while the queue is empty or out of reach. */
export function startQueueListener(options: QueueListenerOptions): QueueListener {
  const { settings } = options;
  const threshold = settings.newBatchThreshold ?? Math.floor(settings.batchSize / 2);
  const inWork = new Set<Promise<void>>();
  const alarm = createAlarm();
  let stopping = false;

  const work = (message: DequeuedMessage): void => {
    const done = workOnMessage(options, message).finally(() => inWork.delete(done));
    inWork.add(done);
  };

  const poll = async (): Promise<void> => {
    let pauseMs = firstPauseMs;
    while (!stopping) {
      while (inWork.size > threshold) {
        await Promise.race(inWork);
      }
      const messages = await receive(options);
      if (stopping) {
        await Promise.all(messages.map((message) => release(options, message, message.popReceipt, 0)));
      } else if (messages.length > 0) {
        messages.forEach(work);
        pauseMs = firstPauseMs;
      } else {
        await alarm.wait(Math.min(pauseMs, settings.maxPollingIntervalMs));
        pauseMs = Math.min(pauseMs * 2, settings.maxPollingIntervalMs);
      }
    }
  };

  const polling = poll();
  return {
    wake: () => alarm.ring(),
    async stop() {
      stopping = true;
      alarm.ring();
      await polling;
      await Promise.all(inWork);
    },
  };
}

/** A pause that can be cut short, also by a ring that came just before it. */
function createAlarm(): { wait(milliseconds: number): Promise<void>; ring(): void } {
  let ringing = new AbortController();
  return {
    async wait(milliseconds) {
      await sleep(milliseconds, undefined, { signal: ringing.signal }).catch(() => {});
      ringing = ringing.signal.aborted ? new AbortController() : ringing;
    },
    ring: () => ringing.abort(),
  };
}

async function receive({ queue, queueName, settings, log }: QueueListenerOptions): Promise<readonly DequeuedMessage[]> {
  try {
    const answer = await queue.receiveMessages({
      numberOfMessages: settings.batchSize,
      visibilityTimeout: settings.leaseSeconds ?? defaultLeaseSeconds,
    });
    return answer.receivedMessageItems;
  } catch (error) {
    if (!isMissingQueue(error)) {
      log('warn', 'A queue cannot be read', { queue: queueName, error: describeError(error) });
    }
    return [];
  }
}

/** Never throws: what storage refuses here is logged, and the message comes back when its lease ends. */
async function workOnMessage(options: QueueListenerOptions, message: DequeuedMessage): Promise<void> {
  const { queue, queueName, settings, log } = options;
  try {
    const text = decodeMessage(message.messageText);
    const hasPoisonQueue = !queueName.endsWith(poisonSuffix);
    if (hasPoisonQueue && (text === undefined || message.dequeueCount > settings.maxDequeueCount)) {
      await moveToPoison(options, message, message.popReceipt);
      return;
    }
    const { succeeded, receipt } = await invokeHeld(options, message, text ?? message.messageText);
    if (succeeded) {
      await queue.deleteMessage(message.messageId, receipt);
    } else if (hasPoisonQueue && message.dequeueCount >= settings.maxDequeueCount) {
      await moveToPoison(options, message, receipt);
    } else if (hasPoisonQueue) {
      await release(options, message, receipt, settings.visibilityTimeoutSeconds);
    }
    // A failed message of a poison queue stays invisible until its lease ends, or it would come back in a tight loop.
  } catch (error) {
    log('warn', 'A queue message could not be settled', {
      queue: queueName,
      messageId: message.messageId,
      error: describeError(error),
    });
  }
}

async function invokeHeld(
  options: QueueListenerOptions,
  message: DequeuedMessage,
  text: string,
): Promise<{ readonly succeeded: boolean; readonly receipt: string }> {
  const { target, queue, settings, invoker, log } = options;
  const leaseSeconds = settings.leaseSeconds ?? defaultLeaseSeconds;
  const lease = holdMessage({ queue, message, leaseSeconds, log });
  const [outcome] = await Promise.allSettled([invoker.invoke(target.registered, queueInput(target, text, message))]);
  return { succeeded: outcome.status === 'fulfilled', receipt: await lease.end() };
}

async function release(
  { queue, queueName, log }: QueueListenerOptions,
  message: DequeuedMessage,
  receipt: string,
  delaySeconds: number,
): Promise<void> {
  try {
    await queue.updateMessage(message.messageId, receipt, message.messageText, delaySeconds);
  } catch (error) {
    log('warn', 'A queue message could not be released', {
      queue: queueName,
      messageId: message.messageId,
      error: describeError(error),
    });
  }
}

/** Puts first, then deletes: dying in between leaves the message twice, and never not at all. */
async function moveToPoison(options: QueueListenerOptions, message: DequeuedMessage, receipt: string): Promise<void> {
  const poisonName = `${options.queueName}${poisonSuffix}`;
  await putRawMessage(options.openPoisonQueue(poisonName), message.messageText);
  await options.queue.deleteMessage(message.messageId, receipt);
  options.log('warn', 'A queue message was moved to the poison queue', {
    queue: options.queueName,
    poisonQueue: poisonName,
    messageId: message.messageId,
    dequeueCount: message.dequeueCount,
  });
}
