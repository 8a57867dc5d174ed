import { bindingText, resolveSettings, returnBindingName } from './app-functions.ts';
import type { RegisteredFunction } from './core-module.ts';
import type { RpcInvocationResponse, RpcTypedData } from './core-types.ts';
import { encodeMessage, type HostQueue, putRawMessage } from './host-queue.ts';

export interface QueueOutputsOptions {
  readonly openQueue: (connection: string, queueName: string) => HostQueue;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Told of every queue that got messages, so that a listener in this process need not wait for its next poll. */
  readonly onSent: (connection: string, queueName: string) => void;
}

/** Sends what an invocation left in its queue output bindings, in order, each message in base64. */
export async function sendQueueOutputs(
  options: QueueOutputsOptions,
  target: RegisteredFunction,
  response: RpcInvocationResponse,
): Promise<void> {
  for (const [bindingName, binding] of Object.entries(target.metadata.bindings)) {
    if (binding.direction === 'out' && binding.type === 'queue') {
      const messages = toMessages(outputOf(response, bindingName));
      if (messages.length > 0) {
        const where = `The queue output of function "${target.metadata.name}"`;
        const connection = bindingText(binding, 'connection', where);
        const queueName = resolveSettings(bindingText(binding, 'queueName', where), options.environment, where);
        const queue = options.openQueue(connection, queueName);
        for (const message of messages) {
          await putRawMessage(queue, encodeMessage(message));
        }
        options.onSent(connection, queueName);
      }
    }
  }
}

function outputOf(response: RpcInvocationResponse, bindingName: string): RpcTypedData | null | undefined {
  if (bindingName === returnBindingName) {
    return response.returnValue;
  }
  return response.outputData?.find((output) => output.name === bindingName)?.data;
}

/** An array is one message per element, anything else is one message. */
function toMessages(data: RpcTypedData | null | undefined): readonly (string | Uint8Array)[] {
  if (data === null || data === undefined) {
    return [];
  }
  if (data.string !== undefined) {
    return [data.string];
  }
  if (data.bytes !== undefined) {
    return [data.bytes];
  }
  if (data.json === undefined) {
    return [String(data.int ?? data.double)];
  }
  const value: unknown = JSON.parse(data.json);
  return Array.isArray(value) ? value.filter((item) => item !== null).map(messageText) : [data.json];
}

function messageText(item: unknown): string {
  return typeof item === 'string' ? item : JSON.stringify(item);
}
