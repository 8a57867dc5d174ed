import { app, type InvocationContext, output } from '@azure/functions';
import { QueueClient } from '@azure/storage-queue';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { QueueSettings } from '../../../../src/host/functions-host/index.ts';
import { startTestHost, type TestHost } from '../../../support/functions-host-fixture.ts';
import { startTestQueues, type TestQueues } from '../../../support/functions-host-queues.ts';

const settings: QueueSettings = {
  visibilityTimeoutSeconds: 0,
  maxDequeueCount: 3,
  batchSize: 4,
  newBatchThreshold: 0,
  maxPollingIntervalMs: 100,
};

const connection = 'OAuthStorage';
let storage: TestQueues;
let queue: QueueClient;
let counter = 0;
const hosts: TestHost[] = [];

beforeAll(async () => {
  storage = await startTestQueues();
});
afterAll(() => storage.close());
beforeEach(async () => {
  counter += 1;
  queue = storage.service.getQueueClient(`work-${counter}`);
  await queue.create();
});
afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.stop()));
});

async function startHost(register: () => void, queueSettings: Partial<QueueSettings> = {}): Promise<TestHost> {
  const host = await startTestHost(register, {
    queueSettings: { ...settings, ...queueSettings },
    environment: { WORK_QUEUE: queue.name },
    openQueue: (name, queueName) => {
      expect(name).toBe(connection);
      return storage.service.getQueueClient(queueName);
    },
  });
  hosts.push(host);
  return host;
}

type Handler = (entry: unknown, context: InvocationContext) => unknown;
const onQueue = (handler: Handler, name = 'worker', queueName = '%WORK_QUEUE%') =>
  app.storageQueue(name, { queueName, connection, handler: handler as never });

const base64 = (text: string) => Buffer.from(text).toString('base64');
const send = (value: unknown) => queue.sendMessage(base64(typeof value === 'string' ? value : JSON.stringify(value)));

async function countIn(client: QueueClient): Promise<number> {
  return (await client.getProperties()).approximateMessagesCount ?? 0;
}

async function textsIn(client: QueueClient): Promise<string[]> {
  const { peekedMessageItems } = await client.peekMessages({ numberOfMessages: 32 });
  return peekedMessageItems.map((item) => Buffer.from(item.messageText, 'base64').toString());
}

const soon = { timeout: 10_000, interval: 20 };

describe('queue functions', () => {
  it('get each message parsed, with its metadata, and a success deletes it', async () => {
    const seen: unknown[] = [];
    let metadata: Record<string, unknown> | undefined;
    await startHost(() =>
      onQueue((entry, context) => {
        seen.push(entry);
        metadata ??= context.triggerMetadata;
      }),
    );
    const sent = await send({ rows: ['a'] });
    await send('plain text é');
    await vi.waitFor(() => expect(seen).toHaveLength(2), soon);
    expect(seen).toEqual(expect.arrayContaining([{ rows: ['a'] }, 'plain text é']));
    await vi.waitFor(async () => expect(await countIn(queue)).toBe(0), soon);
    expect(metadata).toEqual({
      queueTrigger: { rows: ['a'] },
      id: sent.messageId,
      popReceipt: expect.any(String),
      dequeueCount: 1,
      insertionTime: sent.insertedOn.toISOString(),
      expirationTime: sent.expiresOn.toISOString(),
      nextVisibleTime: expect.stringMatching(/Z$/),
    });
  });

  it('try a failed message again, after the delay of host.json', async () => {
    const times: number[] = [];
    await startHost(
      () =>
        onQueue(() => {
          times.push(Date.now());
          if (times.length === 1) {
            throw new Error('first try');
          }
        }),
      { visibilityTimeoutSeconds: 1 },
    );
    await send('again');
    await vi.waitFor(() => expect(times).toHaveLength(2), soon);
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(900);
  });

  it('move a message that keeps failing to the poison queue, which is made when missing', async () => {
    const counts: unknown[] = [];
    const host = await startHost(() =>
      onQueue((_, context) => {
        counts.push(context.triggerMetadata?.dequeueCount);
        throw new Error('never works');
      }),
    );
    await send({ bad: true });
    const poison = storage.service.getQueueClient(`${queue.name}-poison`);
    await vi.waitFor(async () => expect(await textsIn(poison)).toEqual(['{"bad":true}']), soon);
    expect(counts).toEqual([1, 2, 3]);
    await vi.waitFor(async () => expect(await countIn(queue)).toBe(0), soon);
    expect(host.lines.filter((line) => line.message === 'Function failed')).toHaveLength(3);
    expect(host.lines).toContainEqual(
      expect.objectContaining({
        message: 'A queue message was moved to the poison queue',
        fields: expect.objectContaining({ dequeueCount: 3 }),
      }),
    );
  });

  it('never see a message that is not base64: it goes to the poison queue as it is', async () => {
    const handler = vi.fn();
    await startHost(() => onQueue(handler));
    await queue.sendMessage('not base64!');
    const poison = storage.service.getQueueClient(`${queue.name}-poison`);
    await vi.waitFor(async () => expect((await poison.peekMessages()).peekedMessageItems).toHaveLength(1), soon);
    expect((await poison.peekMessages()).peekedMessageItems[0]?.messageText).toBe('not base64!');
    expect(handler).not.toHaveBeenCalled();
  });

  it('of a poison queue have no poison queue of their own, and a failed message there waits out its lease', async () => {
    const poison = storage.service.getQueueClient(`${queue.name}-poison`);
    await poison.create();
    const counts: unknown[] = [];
    const fail = (_: unknown, context: InvocationContext) => {
      counts.push(context.triggerMetadata?.dequeueCount);
      throw new Error('no');
    };
    await startHost(() => onQueue(fail, 'report', poison.name), { leaseSeconds: 1, maxDequeueCount: 1 });
    await poison.sendMessage(base64('x'));
    await vi.waitFor(() => expect(counts).toEqual([1, 2]), soon);
    const names: string[] = [];
    for await (const item of storage.service.listQueues({ prefix: poison.name })) {
      names.push(item.name);
    }
    expect(names).toEqual([poison.name]);
  });

  it('keep a message to themselves for as long as they work on it, beyond its lease', async () => {
    const entered = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    await startHost(
      () =>
        onQueue(async () => {
          entered.resolve();
          await release.promise;
        }),
      { leaseSeconds: 1 },
    );
    await send('long');
    await entered.promise;
    const startedAt = Date.now();
    while (Date.now() - startedAt < 2500) {
      expect((await queue.peekMessages()).peekedMessageItems, 'another reader sees the message').toEqual([]);
      await new Promise((done) => setTimeout(done, 50));
    }
    release.resolve();
    await vi.waitFor(async () => expect(await countIn(queue)).toBe(0), soon);
  });

  it('work on no more than a batch at a time', async () => {
    let active = 0;
    let most = 0;
    let done = 0;
    await Promise.all(Array.from({ length: 8 }, (_, index) => send(`m${index}`)));
    await startHost(
      () =>
        onQueue(async () => {
          active += 1;
          most = Math.max(most, active);
          await new Promise((resolve) => setTimeout(resolve, 50));
          active -= 1;
          done += 1;
        }),
      { batchSize: 3 },
    );
    await vi.waitFor(() => expect(done).toBe(8), soon);
    expect(most).toBe(3);
  });

  it('wait for a queue that does not exist yet', async () => {
    const seen: unknown[] = [];
    const host = await startHost(() => onQueue((entry) => seen.push(entry), 'late', `late-${counter}`));
    const late = storage.service.getQueueClient(`late-${counter}`);
    await late.create();
    await late.sendMessage(base64('there'));
    await vi.waitFor(() => expect(seen).toEqual(['there']), soon);
    expect(host.lines).toEqual([]);
  });

  it('finish what they work on when the host stops, and leave the rest in the queue', async () => {
    const entered = Promise.withResolvers<void>();
    let finished = 0;
    const host = await startHost(
      () =>
        onQueue(async () => {
          entered.resolve();
          await new Promise((done) => setTimeout(done, 200));
          finished += 1;
        }),
      { batchSize: 1 },
    );
    await send('one');
    await send('two');
    await entered.promise;
    await host.stop();
    expect(finished).toBe(1);
    expect(await textsIn(queue)).toHaveLength(1);
  });
});

describe('queue outputs', () => {
  const sink = () => storage.service.getQueueClient(`sink-${counter}`);
  const toSink = () => output.storageQueue({ queueName: `sink-${counter}`, connection });

  async function outputOf(value: unknown): Promise<string[]> {
    const out = toSink();
    const host = await startHost(() =>
      app.http('emit', {
        extraOutputs: [out],
        handler: (_, context) => {
          context.extraOutputs.set(out, value);
          return { status: 202 };
        },
      }),
    );
    expect((await host.get('/api/emit')).status).toBe(202);
    return (await sink().exists()) ? textsIn(sink()) : [];
  }

  it.each([
    ['a string', 'text', ['text']],
    ['an object', { a: 1 }, ['{"a":1}']],
    ['an array, one message per element', ['x', { b: 2 }, null], ['x', '{"b":2}']],
    ['a number', 7, ['7']],
    ['bytes', new Uint8Array([104, 105]), ['hi']],
    ['nothing', undefined, []],
    ['an empty array', [], []],
  ])('send %s, before the answer goes out, to a queue that is made when missing', async (_, value, expected) => {
    expect(await outputOf(value)).toEqual(expected);
  });

  it('send what a function returns, and wake the function that waits for it', async () => {
    const seen: unknown[] = [];
    const polls = vi.spyOn(QueueClient.prototype, 'receiveMessages');
    const host = await startHost(
      () => {
        app.timer('plan', { schedule: '0 0 0 1 1 *', return: toSink(), handler: () => [{ n: 1 }, { n: 2 }] });
        onQueue((entry) => seen.push(entry), 'eat', `sink-${counter}`);
      },
      { maxPollingIntervalMs: 60_000 },
    );
    // The pause after the fifth empty poll is 1.6 s.
    await vi.waitFor(() => expect(polls.mock.calls.length).toBe(5), soon);
    const startedAt = Date.now();
    await host.runTimer('plan');
    await vi.waitFor(() => expect(seen).toHaveLength(2), soon);
    expect(Date.now() - startedAt).toBeLessThan(1300);
    polls.mockRestore();
  });

  it('that cannot be sent fail the invocation', async () => {
    const out = output.storageQueue({ queueName: 'Not_A_Queue_Name', connection });
    const host = await startHost(() =>
      app.http('emit', {
        extraOutputs: [out],
        handler: (_, context) => {
          context.extraOutputs.set(out, 'x');
          return {};
        },
      }),
    );
    expect((await host.get('/api/emit')).status).toBe(500);
    expect(host.lines.map((line) => line.message)).toEqual(['Function failed']);
  });

  it('of a function that fails are not sent', async () => {
    const out = toSink();
    const host = await startHost(() =>
      app.http('emit', {
        extraOutputs: [out],
        handler: (_, context) => {
          context.extraOutputs.set(out, 'x');
          throw new Error('after all');
        },
      }),
    );
    expect((await host.get('/api/emit')).status).toBe(500);
    expect(await sink().exists()).toBe(false);
  });
});
