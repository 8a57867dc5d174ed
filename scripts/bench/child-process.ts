import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

/** A process beside this one. */
export interface BenchProcess<Started> {
  /** What it said when it was ready. */
  readonly started: Started;
  /** Resolves to its answer. One question at a time. Throws when the process ends instead: it has printed why. */
  ask<Answer>(question: string, detail?: unknown): Promise<Answer>;
  /** Seconds of the processor that it has taken so far. */
  cpuSeconds(): Promise<number>;
  stop(): Promise<void>;
}

/** What a process does when it is asked. */
export type Answers = Readonly<Record<string, (detail: never) => Promise<unknown> | unknown>>;

interface Asked {
  readonly question: string;
  readonly detail?: unknown;
}

const askCpu = 'cpu';

/** Starts a process of its own and hands it `given`, which nobody else sees. */
export async function startBenchProcess<Started>(
  entry: URL,
  given: unknown,
  nodeOptions: readonly string[] = [],
): Promise<BenchProcess<Started>> {
  const child = fork(entry, { execArgv: [...nodeOptions] });
  const send = <Answer>(message: unknown): Promise<Answer> => {
    const answer = nextMessage<Answer>(child);
    child.send(message as object);
    return answer;
  };
  const ask = <Answer>(question: string, detail?: unknown) => send<Answer>({ question, detail } satisfies Asked);
  return {
    started: await send<Started>(given),
    ask,
    cpuSeconds: () => ask<number>(askCpu),
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.disconnect();
      await once(child, 'exit');
    },
  };
}

function nextMessage<Message>(child: ChildProcess): Promise<Message> {
  const { promise, resolve, reject } = Promise.withResolvers<Message>();
  const onExit = () => reject(new Error('a process of the benchmarks has ended too early'));
  child.once('exit', onExit);
  child.once('message', (message) => {
    child.off('exit', onExit);
    resolve(message as Message);
  });
  return promise;
}

/** In such a process: starts with what it is handed, answers what it is asked, and ends with its parent. */
export async function serveParent<Given>(
  start: (given: Given) => Promise<{ readonly started: unknown; readonly answers?: Answers }>,
): Promise<void> {
  process.on('disconnect', () => process.exit(0));
  const [given] = (await once(process, 'message')) as [Given];
  const { started, answers = {} } = await start(given);
  const all: Answers = { ...answers, [askCpu]: ownCpuSeconds };
  // What goes wrong in an answer ends the process, as nobody handles it.
  process.on('message', async ({ question, detail }: Asked) => {
    const answer = all[question];
    if (answer === undefined) throw new Error(`nobody here answers "${question}"`);
    process.send?.(await answer(detail as never));
  });
  process.send?.(started);
}

/** Seconds of the processor that this process has taken so far, all its threads together. */
function ownCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000_000;
}
