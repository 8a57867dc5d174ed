import { createAdmin } from './admin.ts';
import { type AppFunction, bindingText, listAppFunctions, resolveSettings } from './app-functions.ts';
import { emptyApp, installFunctionsCore, loadIntoCore } from './core-module.ts';
import type { HostQueue } from './host-queue.ts';
import { compileRoutes, type HttpRoute } from './http-routes.ts';
import { type HttpListener, listen } from './http-server.ts';
import { createHttpTrigger } from './http-trigger.ts';
import { createInvoker, type Invoker, runHooks } from './invocation.ts';
import { type HostLog, hostLevel } from './log.ts';
import { sendQueueOutputs } from './queue-outputs.ts';
import { type QueueListener, type QueueSettings, startQueueListener } from './queues.ts';
import { parseSchedule } from './schedule.ts';
import { stopAll } from './shutdown.ts';
import { createTimer, type HostTimer } from './timers.ts';

export type { HostQueue } from './host-queue.ts';
export type { HostLog, HostLogLevel } from './log.ts';
export type { QueueSettings } from './queues.ts';

/** A little more than the 12 s that the app allows itself. */
const defaultDrainMs = 13_000;

export interface FunctionsHostOptions {
  /**
   * Imports the app's entry, or registers functions directly. `baseUrl` is already listening, so that the app can be
   * told its own address first. Each host needs its own registrations: a module that is cached registers nothing.
   */
  readonly loadApp: (baseUrl: string) => Promise<void>;
  /** host.json's `extensions.http.routePrefix`. */
  readonly routePrefix: string;
  /** 0: any free port. */
  readonly port: number;
  /** For `/admin`, and for HTTP functions that are not anonymous. */
  readonly masterKey: string;
  /** Opens a queue of the storage connection that a binding names. */
  readonly openQueue: (connection: string, queueName: string) => HostQueue;
  readonly queueSettings: QueueSettings;
  /** Whether timers follow their schedules. `runTimer` and `/admin` run them in any case. */
  readonly runTimers: boolean;
  readonly log: HostLog;
  /** Where `%SETTING%` is looked up, once the app is loaded. Default: `process.env`. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** How long `stop` waits for what is in flight. Default 13 s. */
  readonly drainMs?: number;
}

export interface FunctionInfo {
  readonly name: string;
  readonly trigger: string;
  readonly route?: string;
  readonly methods?: string[];
}

export interface FunctionsHost {
  /** `http://127.0.0.1:{port}`, without the route prefix. */
  readonly url: string;
  readonly functions: readonly FunctionInfo[];
  /** Runs a timer function and waits for it. Throws what it throws, and for a name that is no timer. */
  runTimer(name: string): Promise<void>;
  /**
   * Takes no new work, runs the app's `appTerminate` hooks, gives what is in flight the rest of the drain time, and
   * closes. Never rejects; a second call waits for the first.
   */
  stop(): Promise<void>;
}

/**
 * Runs an Azure Functions app in this process: HTTP, timer and queue triggers, queue outputs and `/admin`, by the rules
 * of the real host. `app.setup({ enableHttpStream })` is not supported.
 *
 * Rejects, with the server closed again, when the port cannot be had (the system's error, `code: 'EADDRINUSE'`), with
 * what `loadApp` or an `appStart` hook throws, when the app registers no functions, and when a function has a binding,
 * route, schedule or setting that cannot work.
 */
export async function startFunctionsHost(options: FunctionsHostOptions): Promise<FunctionsHost> {
  installFunctionsCore();
  const listener = await listen(options.port, options.log);
  try {
    return await startOn(listener, options);
  } catch (error) {
    const closed = listener.drain();
    listener.destroy();
    await closed;
    throw error;
  }
}

async function startOn(listener: HttpListener, options: FunctionsHostOptions): Promise<FunctionsHost> {
  const { log } = options;
  const environment = options.environment ?? process.env;
  const app = emptyApp((level, category, message) => log(hostLevel(level), message, { category }));
  await loadIntoCore(app, () => options.loadApp(listener.url));

  const functions = listAppFunctions(app);
  const routes = compileRoutes(functions, options.routePrefix);
  const queues: (QueueSource & { readonly listener: QueueListener })[] = [];
  const onSent = (connection: string, queueName: string) => {
    for (const queue of queues) {
      if (queue.connection === connection && queue.queueName === queueName) {
        queue.listener.wake();
      }
    }
  };
  const outputs = { openQueue: options.openQueue, environment, onSent };
  const invoker = createInvoker({
    app,
    log,
    sendOutputs: (target, response) => sendQueueOutputs(outputs, target, response),
  });
  const timers = createTimers(functions, invoker, log, environment);
  const sources = findQueueSources(functions, environment);
  const { masterKey } = options;
  const admin = createAdmin({ functions, timers, invoker, masterKey, log, draining: listener.draining });
  const handler = createHttpTrigger({ routes, invoker, listener, masterKey, admin });

  await runHooks(app, 'appStart', { hookData: {}, appHookData: app.appHookData, functionAppDirectory: process.cwd() });
  for (const source of sources) {
    queues.push({ ...source, listener: listenTo(source, invoker, options) });
  }
  if (options.runTimers) {
    for (const timer of timers) {
      timer.start();
    }
  }
  listener.serve(handler);

  const terminate = () => runHooks(app, 'appTerminate', { hookData: {}, appHookData: app.appHookData });
  const drainMs = options.drainMs ?? defaultDrainMs;
  let stopped: Promise<void> | undefined;
  return {
    url: listener.url,
    functions: functions.map((each) => functionInfo(each, routes)),
    runTimer: (name) => runTimer(timers, name),
    stop: () => {
      stopped ??= stopAll({
        listener,
        timers,
        queues: queues.map((queue) => queue.listener),
        invoker,
        terminate,
        drainMs,
        log,
      });
      return stopped;
    },
  };
}

function createTimers(
  functions: readonly AppFunction[],
  invoker: Invoker,
  log: HostLog,
  environment: Readonly<Record<string, string | undefined>>,
): readonly HostTimer[] {
  return functions
    .filter((each) => each.trigger === 'timer')
    .map((target) => {
      const where = `The schedule of function "${target.name}"`;
      const expression = resolveSettings(bindingText(target.binding, 'schedule', where), environment, where);
      return createTimer({ target, schedule: parseSchedule(expression), invoker, log });
    });
}

interface QueueSource {
  readonly target: AppFunction;
  readonly connection: string;
  readonly queueName: string;
}

function findQueueSources(
  functions: readonly AppFunction[],
  environment: Readonly<Record<string, string | undefined>>,
): readonly QueueSource[] {
  return functions
    .filter((each) => each.trigger === 'queue')
    .map((target) => {
      const where = `The queue trigger of function "${target.name}"`;
      const connection = bindingText(target.binding, 'connection', where);
      const queueName = resolveSettings(bindingText(target.binding, 'queueName', where), environment, where);
      return { target, connection, queueName };
    });
}

function listenTo(
  { target, connection, queueName }: QueueSource,
  invoker: Invoker,
  options: FunctionsHostOptions,
): QueueListener {
  return startQueueListener({
    target,
    queueName,
    queue: options.openQueue(connection, queueName),
    openPoisonQueue: (name) => options.openQueue(connection, name),
    settings: options.queueSettings,
    invoker,
    log: options.log,
  });
}

async function runTimer(timers: readonly HostTimer[], name: string): Promise<void> {
  const timer = timers.find((candidate) => candidate.target.name === name);
  if (timer === undefined) {
    throw new Error(`There is no timer function "${name}".`);
  }
  await timer.run();
}

function functionInfo({ name, trigger }: AppFunction, routes: readonly HttpRoute[]): FunctionInfo {
  const route = routes.find((candidate) => candidate.target.name === name);
  return route === undefined
    ? { name, trigger }
    : { name, trigger, route: route.template, methods: [...route.methods] };
}
