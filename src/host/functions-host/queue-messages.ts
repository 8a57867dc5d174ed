import type { AppFunction } from './app-functions.ts';
import type { RpcTypedData } from './core-types.ts';
import type { DequeuedMessage } from './host-queue.ts';
import type { InvocationInput } from './invocation.ts';

export type MessageFacts = Omit<DequeuedMessage, 'messageText'>;

/** The input of one queue invocation. The library parses the text as JSON where it is JSON, as in the real worker. */
export function queueInput(target: AppFunction, text: string, facts: MessageFacts): InvocationInput {
  return {
    bindingName: target.triggerBinding,
    data: { string: text },
    triggerMetadata: {
      QueueTrigger: { string: text },
      Id: asJson(facts.messageId),
      PopReceipt: asJson(facts.popReceipt),
      DequeueCount: asJson(facts.dequeueCount),
      InsertionTime: asJson(facts.insertedOn),
      ExpirationTime: asJson(facts.expiresOn),
      NextVisibleTime: asJson(facts.nextVisibleOn),
    },
  };
}

function asJson(value: string | number | Date): RpcTypedData {
  return { json: JSON.stringify(value) };
}
