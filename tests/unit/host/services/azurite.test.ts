import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TableClient, TableServiceClient } from '@azure/data-tables';
import { QueueClient } from '@azure/storage-queue';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Azurite, startAzurite } from '../../../../src/host/services/azurite/index.ts';

let folder: string;
const running: Azurite[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bowline-azurite-'));
});
afterEach(async () => {
  for (const azurite of running.splice(0)) await azurite.stop();
  await rm(folder, { recursive: true });
});

async function start(options: Parameters<typeof startAzurite>[0]): Promise<Azurite> {
  const azurite = await startAzurite(options);
  running.push(azurite);
  return azurite;
}

async function stop(azurite: Azurite): Promise<void> {
  running.splice(running.indexOf(azurite), 1);
  await azurite.stop();
}

const insecure = { allowInsecureConnection: true };
const table = ({ connectionString }: Azurite) => TableClient.fromConnectionString(connectionString, 'Things', insecure);

async function write(azurite: Azurite): Promise<void> {
  await table(azurite).createTable();
  await table(azurite).createEntity({ partitionKey: 'p', rowKey: 'r', value: 'kept' });
  const queue = new QueueClient(azurite.connectionString, 'messages');
  await queue.create();
  await queue.sendMessage('kept too');
}

async function read(azurite: Azurite): Promise<unknown[]> {
  const { value } = await table(azurite).getEntity('p', 'r');
  const queue = new QueueClient(azurite.connectionString, 'messages');
  return [value, (await queue.receiveMessages()).receivedMessageItems[0]?.messageText];
}

describe('the storage emulator', () => {
  it('serves tables and queues from memory and leaves nothing on disk', async () => {
    const azurite = await start({ inMemory: true });
    await write(azurite);
    expect(await read(azurite)).toEqual(['kept', 'kept too']);
  });

  it('finds tables and messages again after a restart on the same ports', async () => {
    const first = await start({ folder });
    const { tablePort, queuePort } = first;
    await write(first);
    await stop(first);
    const second = await start({ folder, tablePort, queuePort });
    expect(second).toMatchObject({ tablePort, queuePort, connectionString: first.connectionString });
    expect(await read(second)).toEqual(['kept', 'kept too']);
  });

  it('writes to disk within a second, for a host that is killed', async () => {
    const azurite = await start({ folder });
    await write(azurite);
    await vi.waitFor(async () => expect(await readFile(join(folder, 'tables.json'), 'utf8')).toContain('kept'), 1000);
  });

  it.each([
    ['tables.json', '{"filename":"tabl'],
    ['tables.json', ''],
    ['queues.json', '[]'],
    ['queue-extents.json', 'x'],
  ])('refuses a damaged %s with one clear line and leaves it alone', async (file, text) => {
    await writeFile(join(folder, file), text);
    await expect(startAzurite({ folder })).rejects.toMatchObject({
      name: 'StartFailure',
      message: `${join(folder, file)} is damaged. Restore it from a backup, or move the home's folder away to begin anew.`,
    });
    expect(await readFile(join(folder, file), 'utf8')).toBe(text);
  });

  it('refuses databases that are JSON but not its own', async () => {
    await writeFile(join(folder, 'tables.json'), '{"collections":[null]}');
    await expect(startAzurite({ folder })).rejects.toMatchObject({
      name: 'StartFailure',
      message: expect.stringContaining('damaged'),
    });
  });

  it('names the port that is taken, and lets go of the one it had', async () => {
    const other = await start({ inMemory: true });
    const { tablePort } = other;
    await expect(startAzurite({ folder, tablePort })).rejects.toMatchObject({
      name: 'StartFailure',
      message: expect.stringContaining(`Port ${tablePort} on 127.0.0.1, which the table service needs, is taken`),
    });
    const free = await start({ folder });
    const freed = free.tablePort;
    await stop(free);
    await expect(startAzurite({ folder, tablePort: freed, queuePort: other.queuePort })).rejects.toMatchObject({
      message: expect.stringContaining(`Port ${other.queuePort} on 127.0.0.1, which the queue service needs, is taken`),
    });
    const again = await start({ folder, tablePort: freed });
    expect(
      await TableServiceClient.fromConnectionString(again.connectionString, insecure).getProperties(),
    ).toBeDefined();
  });
});
