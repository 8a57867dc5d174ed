import { QueueClient } from '@azure/storage-queue';
import { expect, vi } from 'vitest';
import type { Fault, Match, ProxiedAnswer, ProxiedRequest } from './recording-proxy.ts';
import type { World } from './world.ts';

const queueName = 'oauth-refresh';
const messagesPath = /\/oauth-refresh\/messages/;

/** A message that is put on the queue of refreshes. */
export const isPut: Match = ({ method, path }) => method === 'POST' && messagesPath.test(path);
/** A message that is deleted because it was worked on. */
export const isDelete: Match = ({ method, path }) => method === 'DELETE' && messagesPath.test(path);
/** A message that is given up. */
export const isParked: Match = ({ method, path }) => method === 'POST' && /\/oauth-refresh-poison\/messages/.test(path);

/** A look at what was given up. */
export const isParkedTake: Match = ({ method, path }) =>
  method === 'GET' && /\/oauth-refresh-poison\/messages/.test(path);

/** What a host is told that finds a queue empty. */
export const noMessages: Fault = {
  kind: 'answer',
  status: 200,
  headers: { 'content-type': 'application/xml' },
  body: '<?xml version="1.0" encoding="utf-8"?><QueueMessagesList></QueueMessagesList>',
};

const isTake: Match = ({ method, path }) => method === 'GET' && messagesPath.test(path);
const isGivenBack: Match = ({ method, path }) =>
  method === 'PUT' && messagesPath.test(path) && /visibilitytimeout=[1-9]/.test(path);

/** The queue of refreshes, past every proxy; with `-poison` that of what was given up. */
export function openQueue({ connectionString }: World, suffix: '' | '-poison' = ''): QueueClient {
  return new QueueClient(connectionString, `${queueName}${suffix}`);
}

/** What a request puts on a queue: the text as it travels. */
export function textOf({ body }: ProxiedRequest): string {
  return tag(body, 'MessageText');
}

/** A message's text as it travels. */
export function encode(message: unknown): string {
  return Buffer.from(typeof message === 'string' ? message : JSON.stringify(message)).toString('base64');
}

/** Resolves when nothing is on the queue, worked on or not. What a busy host gave back comes again after 30 s. */
export async function emptied(world: World, timeout = 45_000): Promise<void> {
  const queue = openQueue(world);
  const count = async () => (await queue.getProperties()).approximateMessagesCount;
  await vi.waitFor(async () => expect(await count(), 'messages on the queue').toBe(0), { timeout, interval: 50 });
}

/** Lets the 30 s pass at once for which the queue hides a message. */
export interface QueueTime {
  /** From now on a message that a host gives back after a failure is visible again at once. */
  hurry(): void;
  /** Makes the messages visible that were taken and are neither deleted nor given back. Resolves to how many. */
  returnTaken(): Promise<number>;
}

interface Taken {
  readonly receipt: string;
  readonly text: string;
}

/** Watches the queue's proxy. To be made before the first message is taken. */
export function watchQueueTime(world: World): QueueTime {
  const queue = openQueue(world);
  const taken = new Map<string, Taken>();
  let isHurried = false;
  const show = async (id: string, { receipt, text }: Taken): Promise<boolean> => {
    try {
      await queue.updateMessage(id, receipt, text, 0);
      return true;
    } catch (error) {
      // Its host has deleted it, or has it for longer, just now.
      if (error instanceof Error && 'statusCode' in error && error.statusCode === 404) return false;
      throw error;
    }
  };

  function answered(request: ProxiedRequest, answer: ProxiedAnswer): void {
    if (answer.status >= 300) return;
    if (isTake(request)) {
      for (const [id, message] of messagesIn(answer.body.toString())) taken.set(id, message);
    } else if (isDelete(request)) taken.delete(idIn(request));
    else if (isGivenBack(request)) {
      const id = idIn(request);
      const message = { receipt: String(answer.headers['x-ms-popreceipt']), text: textOf(request) };
      taken.set(id, message);
      if (isHurried) void show(id, message);
    }
  }

  world.queue.observe({ answered });
  return {
    hurry: () => {
      isHurried = true;
    },
    returnTaken: async () => {
      const all = [...taken];
      taken.clear();
      const shown = await Promise.all(all.map(([id, message]) => show(id, message)));
      return shown.filter(Boolean).length;
    },
  };
}

function messagesIn(xml: string): [string, Taken][] {
  const messages = xml.match(/<QueueMessage>.*?<\/QueueMessage>/gs) ?? [];
  return messages.map((message) => [
    tag(message, 'MessageId'),
    { receipt: tag(message, 'PopReceipt'), text: tag(message, 'MessageText') },
  ]);
}

function idIn({ path }: ProxiedRequest): string {
  return /\/messages\/([^?]+)/.exec(path)?.[1] ?? '';
}

function tag(xml: string, name: string): string {
  return new RegExp(`<${name}>(.*?)</${name}>`, 's').exec(xml)?.[1] ?? '';
}
