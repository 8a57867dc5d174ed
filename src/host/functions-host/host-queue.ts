/** A message as the queue hands it out. The names are those of `@azure/storage-queue`. */
export interface DequeuedMessage {
  readonly messageId: string;
  readonly messageText: string;
  readonly popReceipt: string;
  readonly dequeueCount: number;
  readonly insertedOn: Date;
  readonly expiresOn: Date;
  readonly nextVisibleOn: Date;
}

/** What the host needs of a queue. A `QueueClient` of `@azure/storage-queue` fits as it is. */
export interface HostQueue {
  createIfNotExists(): Promise<unknown>;
  receiveMessages(options: {
    readonly numberOfMessages: number;
    readonly visibilityTimeout: number;
  }): Promise<{ readonly receivedMessageItems: readonly DequeuedMessage[] }>;
  updateMessage(
    messageId: string,
    popReceipt: string,
    messageText: string,
    visibilityTimeoutSeconds: number,
  ): Promise<{ readonly popReceipt?: string }>;
  deleteMessage(messageId: string, popReceipt: string): Promise<unknown>;
  sendMessage(messageText: string, options: { readonly messageTimeToLive: number }): Promise<unknown>;
}

// Messages that the host puts never expire.
const noExpiry = -1;

/** Puts a text on a queue as it is, and makes the queue where it is missing. */
export async function putRawMessage(queue: HostQueue, messageText: string): Promise<void> {
  try {
    await queue.sendMessage(messageText, { messageTimeToLive: noExpiry });
  } catch (error) {
    if (!isMissingQueue(error)) {
      throw error;
    }
    await queue.createIfNotExists();
    await queue.sendMessage(messageText, { messageTimeToLive: noExpiry });
  }
}

/** Whether storage answered that the queue, or the message, is not there. */
export function isMissingQueue(error: unknown): boolean {
  return error instanceof Error && 'statusCode' in error && error.statusCode === 404;
}

/** Queue messages travel in base64, as the real host has it by default. */
export function encodeMessage(content: Uint8Array | string): string {
  return Buffer.from(content as Uint8Array).toString('base64');
}

/** The text of a message, or undefined where it is not base64. */
export function decodeMessage(messageText: string): string | undefined {
  const bytes = Buffer.from(messageText, 'base64');
  return bytes.toString('base64') === messageText ? bytes.toString('utf8') : undefined;
}
