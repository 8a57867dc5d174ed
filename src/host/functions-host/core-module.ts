import assert from 'node:assert/strict';
import { registerHooks } from 'node:module';
import {
  type CoreApi,
  type Disposable,
  type FunctionCallback,
  type FunctionMetadata,
  type HookCallback,
  type HookName,
  hookNames,
  type ProgrammingModel,
  type RpcLogCategory,
  type RpcLogLevel,
} from './core-types.ts';

const coreSpecifier = '@azure/functions-core';
const coreUrl = 'bowline:functions-core';

/**
 * The library asks for the core module once and keeps it, while this file may be loaded again and again in one
 * process (vitest loads it anew for every test file). So what the library holds on to lives with the process.
 */
const stateKey = Symbol.for('bowline.functions-core');

// The versions of the worker and the host that this stand-in imitates.
const workerVersion = '3.12.0';
const hostVersion = '4.1046.100';

export interface RegisteredFunction {
  readonly metadata: FunctionMetadata;
  readonly callback: FunctionCallback;
  readonly model: ProgrammingModel;
}

/** What one loaded app has registered. */
export interface AppRegistration {
  readonly functions: Map<string, RegisteredFunction>;
  readonly hooks: Map<HookName, HookCallback[]>;
  readonly appHookData: Record<string, unknown>;
  readonly log: (level: RpcLogLevel, category: RpcLogCategory, message: string) => void;
}

interface CoreState {
  readonly api: CoreApi;
  model: ProgrammingModel | undefined;
  loading: AppRegistration | undefined;
  latest: AppRegistration | undefined;
  lastLoad: Promise<void>;
}

/**
 * Makes `@azure/functions-core` resolvable for everything that is loaded from now on in this process: CommonJS, ES
 * modules, bundles, TypeScript, and packages that vitest leaves to Node. Must run before the first `app.*` call, since
 * the library remembers that it found no host. Runs once per process; later calls give the same module.
 */
export function installFunctionsCore(): CoreApi {
  return coreState().api;
}

/** An app without functions yet; `loadIntoCore` fills it. */
export function emptyApp(log: AppRegistration['log']): AppRegistration {
  return { functions: new Map(), hooks: new Map(), appHookData: {}, log };
}

/**
 * Runs `load`; what is registered meanwhile belongs to `app`. Apps load one after the other, because a registration
 * does not say whose it is. Throws what `load` throws.
 */
export async function loadIntoCore(app: AppRegistration, load: () => Promise<void>): Promise<void> {
  const state = coreState();
  const earlierLoad = state.lastLoad;
  const { promise, resolve } = Promise.withResolvers<void>();
  state.lastLoad = promise;
  await earlierLoad;
  state.loading = app;
  state.latest = app;
  try {
    await load();
  } finally {
    state.loading = undefined;
    resolve();
  }
}

function coreState(): CoreState {
  const holder = globalThis as { [stateKey]?: CoreState };
  holder[stateKey] ??= installOnce();
  return holder[stateKey];
}

function installOnce(): CoreState {
  const state: CoreState = {
    api: undefined as unknown as CoreApi,
    model: undefined,
    loading: undefined,
    latest: undefined,
    lastLoad: Promise.resolve(),
  };
  Object.assign(state, { api: createCoreApi(state) });
  registerHooks({
    resolve: (specifier, context, nextResolve) =>
      specifier === coreSpecifier
        ? { url: coreUrl, format: 'commonjs', shortCircuit: true }
        : nextResolve(specifier, context),
    load: (url, context, nextLoad) =>
      url === coreUrl
        ? { format: 'commonjs', source: moduleSource(state.api), shortCircuit: true }
        : nextLoad(url, context),
  });
  return state;
}

/** One plain assignment per member, which is what lets an ES module import the members by name. */
function moduleSource(api: CoreApi): string {
  const members = Object.keys(api).map((name) => `exports.${name} = core.${name};`);
  return [`const core = globalThis[Symbol.for('${stateKey.description}')].api;`, ...members].join('\n');
}

function createCoreApi(state: CoreState): CoreApi {
  return {
    version: workerVersion,
    hostVersion,
    Disposable: CoreDisposable,
    setProgrammingModel: (model) => {
      state.model = model;
    },
    getProgrammingModel: () => state.model,
    registerFunction: (metadata, callback) => registerFunction(state, metadata, callback),
    registerHook: (name, callback) => registerHook(state, name, callback),
    log: (level, category, message) => (state.loading ?? state.latest)?.log(level, category, message),
  };
}

function registerFunction(state: CoreState, metadata: FunctionMetadata, callback: FunctionCallback): Disposable {
  const app = state.loading;
  if (app === undefined) {
    throw new Error(`Function "${metadata.name}" was registered outside app startup, where no host can see it.`);
  }
  assert(state.model, 'The library sets its programming model before it registers a function.');
  const key = metadata.name.toLowerCase();
  if (app.functions.has(key)) {
    throw new Error(`A function with the name "${metadata.name}" has already been registered.`);
  }
  app.functions.set(key, { metadata, callback, model: state.model });
  return new CoreDisposable(() => app.functions.delete(key));
}

function registerHook(state: CoreState, name: string, callback: HookCallback): Disposable {
  if (!isHookName(name)) {
    throw Object.assign(new RangeError(`Unrecognized hook "${name}"`), { isAzureFunctionsSystemError: true });
  }
  const app = state.loading ?? state.latest;
  if (app === undefined) {
    throw new Error(`The hook "${name}" was registered before any app was loaded.`);
  }
  app.hooks.set(name, [...(app.hooks.get(name) ?? []), callback]);
  return new CoreDisposable(() => {
    const kept = (app.hooks.get(name) ?? []).filter((registered) => registered !== callback);
    app.hooks.set(name, kept);
  });
}

function isHookName(name: string): name is HookName {
  return (hookNames as readonly string[]).includes(name);
}

class CoreDisposable implements Disposable {
  #callOnDispose: (() => unknown) | undefined;

  constructor(callOnDispose: () => unknown) {
    this.#callOnDispose = callOnDispose;
  }

  static from(...parts: readonly Disposable[]): CoreDisposable {
    return new CoreDisposable(() => {
      for (const part of parts) {
        part.dispose();
      }
    });
  }

  dispose(): unknown {
    const call = this.#callOnDispose;
    this.#callOnDispose = undefined;
    return call?.();
  }
}
