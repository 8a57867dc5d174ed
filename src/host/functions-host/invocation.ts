import { randomUUID } from 'node:crypto';
import type { AppRegistration, RegisteredFunction } from './core-module.ts';
import type {
  CoreInvocationContext,
  HookName,
  RpcInvocationRequest,
  RpcInvocationResponse,
  RpcLogCategory,
  RpcLogLevel,
  RpcTypedData,
} from './core-types.ts';
import { describeError, type HostLog, hostLevel } from './log.ts';

export interface InvocationInput {
  readonly bindingName: string;
  readonly data: RpcTypedData;
  readonly triggerMetadata?: Readonly<Record<string, RpcTypedData>>;
  readonly traceContext?: NonNullable<RpcInvocationRequest['traceContext']>;
}

export interface Invoker {
  /** Runs one function and sends its outputs. A failure is logged here, once, and then thrown. */
  invoke(target: RegisteredFunction, input: InvocationInput): Promise<RpcInvocationResponse>;
  /** Resolves when no invocation runs. */
  idle(): Promise<void>;
}

export interface InvokerOptions {
  readonly app: AppRegistration;
  readonly log: HostLog;
  /** Carries out the output bindings. What it throws fails the invocation, as in the real host. */
  readonly sendOutputs: (target: RegisteredFunction, response: RpcInvocationResponse) => Promise<void>;
}

/** Runs functions through the library's own conversions, in the order of calls that Azure's worker keeps. */
export function createInvoker(options: InvokerOptions): Invoker {
  const inFlight = new Set<Promise<unknown>>();
  return {
    async invoke(target, input) {
      const running = invokeLogged(options, target, input);
      inFlight.add(running);
      try {
        return await running;
      } finally {
        inFlight.delete(running);
      }
    },
    async idle() {
      while (inFlight.size > 0) {
        await Promise.allSettled(inFlight);
      }
    },
  };
}

/** Runs the hooks of one name in the order of registration, each awaited. */
export async function runHooks(app: AppRegistration, name: HookName, context: Record<string, unknown>): Promise<void> {
  for (const hook of app.hooks.get(name) ?? []) {
    await hook(context);
  }
}

async function invokeLogged(
  options: InvokerOptions,
  target: RegisteredFunction,
  input: InvocationInput,
): Promise<RpcInvocationResponse> {
  const invocationId = randomUUID();
  try {
    const response = await runFunction(options, target, {
      invocationId,
      functionId: target.metadata.name,
      inputData: [{ name: input.bindingName, data: input.data }],
      triggerMetadata: input.triggerMetadata ?? {},
      ...(input.traceContext === undefined ? {} : { traceContext: input.traceContext }),
    });
    await options.sendOutputs(target, response);
    return response;
  } catch (error) {
    options.log('error', 'Function failed', {
      function: target.metadata.name,
      invocationId,
      error: describeError(error),
    });
    throw error;
  }
}

async function runFunction(
  options: InvokerOptions,
  target: RegisteredFunction,
  request: RpcInvocationRequest,
): Promise<RpcInvocationResponse> {
  const { app } = options;
  let userContext: unknown;
  const coreContext: CoreInvocationContext = {
    invocationId: request.invocationId,
    request,
    metadata: target.metadata,
    log: (level, category, message) => logLine(options, { level, category, message }, request, userContext),
  };
  const model = target.model.getInvocationModel(coreContext);
  const { context, inputs } = await model.getArguments();
  userContext = context;

  const shared = { hookData: {}, appHookData: app.appHookData, invocationContext: context };
  const before = { ...shared, inputs, functionCallback: target.callback };
  coreContext.state = 'preInvocationHooks';
  await runHooks(app, 'preInvocation', before);

  const after = { ...shared, inputs: before.inputs, result: null as unknown, error: null as unknown };
  coreContext.state = 'invocation';
  try {
    after.result = await model.invokeFunction(context, before.inputs, before.functionCallback);
  } catch (error) {
    after.error = error ?? new Error('The function threw nothing.');
  }
  coreContext.state = 'postInvocationHooks';
  await runHooks(app, 'postInvocation', after);
  coreContext.state = undefined;
  if (after.error !== null && after.error !== undefined) {
    throw after.error;
  }
  return model.getResponse(context, after.result);
}

interface LogLine {
  level: RpcLogLevel;
  readonly category: RpcLogCategory;
  message: string;
}

/** Log hooks may change level and message before the line goes out. They are not awaited: logging is synchronous. */
function logLine(options: InvokerOptions, line: LogLine, request: RpcInvocationRequest, userContext: unknown): void {
  const hookContext = { ...line, hookData: {}, appHookData: options.app.appHookData, invocationContext: userContext };
  for (const hook of options.app.hooks.get('log') ?? []) {
    hook(hookContext);
  }
  options.log(hostLevel(hookContext.level), hookContext.message, {
    function: request.functionId,
    invocationId: request.invocationId,
    category: hookContext.category,
  });
}
