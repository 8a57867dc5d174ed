import pLimit from 'p-limit';
import { vi } from 'vitest';
import { startAzurite } from '../../../src/host/services/azurite/index.ts';
import { startTestBroker, type TestBroker } from '../../support/test-broker.ts';
import type { SeededRandom } from './seeded-random.ts';
import { createStillClock } from './still-clock.ts';
import { startTokenServer, type TokenServer } from './token-server.ts';

/** A grant whose access tokens live for a time of its own. */
export interface TimedGrant {
  readonly connection: string;
  readonly userId: string | null;
  /** Its name at the token server. */
  readonly account: string;
  readonly lifeSeconds: number;
}

/** A broker in this process, on storage of its own, and a token server, all by a clock that the test moves. */
export interface VirtualBroker {
  readonly broker: TestBroker;
  readonly server: TokenServer;
  now(): number;
  /** Puts the clock forward to a time; it never goes back. */
  moveTo(time: number): void;
  /** Makes grants with a first token each. */
  grant(lives: readonly number[]): Promise<TimedGrant[]>;
  read(grant: TimedGrant, query: Readonly<Record<string, string>>): ReturnType<TestBroker['call']>;
  /** Runs the timer. Resolves to the id of its job when its messages are on the queue. */
  sweep(): Promise<string>;
  /** Resolves when the queue has worked a job off. */
  worked(jobId: string): Promise<void>;
  stop(): Promise<void>;
}

const ofOneConnection = 8;
const platform = { org: 'GLOBAL' };

export async function startVirtualBroker(
  random: SeededRandom,
  onRefresh: (account: string) => void,
): Promise<VirtualBroker> {
  const clock = createStillClock();
  const [azurite, server] = await Promise.all([
    startAzurite({ inMemory: true }),
    startTokenServer({ now: clock.now, onRefresh }),
  ]);
  const { connectionString } = azurite;
  const settings = { CREDENTIAL_CACHE_SECONDS: '5' };
  const broker = await startTestBroker({ connectionString, clock, settings });
  const job = async (query = '') => (await broker.call('GET', `/api/oauth/refresh_job_status${query}`, platform)).json;

  return {
    broker,
    server,
    now: clock.now,
    moveTo: (time) => clock.advance(Math.max(0, time - clock.now())),
    grant: async (lives) => {
      const grants = random.shuffled(lives).map((lifeSeconds, index): TimedGrant => {
        const connection = `timed-${Math.floor(index / ofOneConnection)}`;
        const userId = index % ofOneConnection === 0 ? null : `user-${index}`;
        return { connection, userId, account: `${connection}/${userId ?? ''}`, lifeSeconds };
      });
      const names = new Set(grants.map(({ connection }) => connection));
      const limit = pLimit(8);
      await limit.map(names, (name) => createConnection(broker, server, name));
      await limit.map(grants, (grant) => importFirst(broker, server, grant));
      return grants;
    },
    read: ({ connection, userId }, query) => {
      const all = new URLSearchParams({ ...query, ...(userId !== null && { user_id: userId }) });
      return broker.call('GET', `/api/oauth/credentials/${connection}?${all}`);
    },
    sweep: async () => {
      await broker.host.runTimer('refreshSweep');
      return (await job()).job_id;
    },
    worked: async (jobId) => {
      await vi.waitUntil(async () => (await job(`?job_id=${jobId}`)).state === 'finished', {
        timeout: 30_000,
        interval: 20,
      });
    },
    stop: async () => {
      await broker.stop();
      await Promise.all([server.stop(), azurite.stop()]);
    },
  };
}

async function createConnection(broker: TestBroker, { tokenUrl }: TokenServer, name: string): Promise<void> {
  const body = broker.connectionBody(name, { token_url: tokenUrl, revocation_url: null, userinfo_url: null });
  const created = await broker.call('POST', '/api/oauth/connections', { body });
  if (created.status !== 201) throw new Error(`not created: ${created.text}`);
}

async function importFirst(broker: TestBroker, server: TokenServer, grant: TimedGrant): Promise<void> {
  const body = { refresh_token: server.open(grant.account, grant.lifeSeconds), user_id: grant.userId };
  const imported = await broker.call('POST', `/api/oauth/connections/${grant.connection}/tokens`, { body });
  if (imported.json?.refreshed !== true) throw new Error(`not imported: ${imported.text}`);
}
