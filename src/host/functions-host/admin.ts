import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AppFunction } from './app-functions.ts';
import { installFunctionsCore } from './core-module.ts';
import { HttpRefusal, readBody, writeAnswer } from './http-conversion.ts';
import type { Invoker } from './invocation.ts';
import type { HostLog } from './log.ts';
import { holdsKey } from './master-key.ts';
import { queueInput } from './queue-messages.ts';
import { type HostTimer, runInBackground } from './timers.ts';

// A queue message holds 64 KiB; base64 and JSON escapes make a request longer than its message.
const maxAdminBodyBytes = 256 * 1024;

const messageLifeMs = 7 * 24 * 3600 * 1000;

export interface AdminOptions {
  readonly functions: readonly AppFunction[];
  readonly timers: readonly HostTimer[];
  readonly invoker: Invoker;
  readonly masterKey: string;
  readonly log: HostLog;
  readonly draining: () => boolean;
}

/** Serves `/admin`: what runs, the host's state, and running a function now. All of it needs the master key. */
export function createAdmin(options: AdminOptions) {
  return async (path: string, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (!holdsKey(request, options.masterKey)) {
      throw new HttpRefusal(401);
    }
    const [, , area, name, ...rest] = path.replace(/\/$/, '').split('/');
    const route = `${request.method} ${area}${name === undefined ? '' : '/*'}`;
    if (rest.length > 0) {
      throw new HttpRefusal(404);
    }
    if (route === 'GET functions') {
      return writeJson(options, response, 200, options.functions.map(functionInfo));
    }
    if (route === 'GET functions/*') {
      return writeJson(options, response, 200, functionInfo(findFunction(options, name)));
    }
    if (route === 'GET host/*' && name === 'status') {
      return writeJson(options, response, 200, hostStatus());
    }
    if (route === 'POST functions/*') {
      start(options, findFunction(options, name), await readInput(request));
      return writeAnswer(response, { statusCode: '202' }, { close: options.draining(), headOnly: false });
    }
    throw new HttpRefusal(404);
  };
}

function findFunction({ functions }: AdminOptions, name: string | undefined): AppFunction {
  const found = functions.find((candidate) => candidate.name.toLowerCase() === name?.toLowerCase());
  if (found === undefined) {
    throw new HttpRefusal(404);
  }
  return found;
}

/** Begins a run and does not wait for it: the real host, too, answers before the run ends. */
function start(options: AdminOptions, target: AppFunction, input: string): void {
  const timer = options.timers.find((candidate) => candidate.target === target);
  if (timer !== undefined) {
    runInBackground(timer, options.log);
    return;
  }
  if (target.trigger !== 'queue') {
    throw new HttpRefusal(400);
  }
  const insertedOn = new Date();
  const facts = {
    messageId: randomUUID(),
    popReceipt: '',
    dequeueCount: 1,
    insertedOn,
    expiresOn: new Date(insertedOn.getTime() + messageLifeMs),
    nextVisibleOn: insertedOn,
  };
  options.invoker.invoke(target.registered, queueInput(target, input, facts)).catch(() => {});
}

/** The `input` of a request's JSON body; none is empty. */
async function readInput(request: IncomingMessage): Promise<string> {
  const body = await readBody(request, maxAdminBodyBytes);
  if (body === undefined) {
    return '';
  }
  const parsed = parseJson(body.toString('utf8'));
  const input = typeof parsed === 'object' && parsed !== null && 'input' in parsed ? (parsed.input ?? '') : '';
  if (typeof parsed !== 'object' || typeof input !== 'string') {
    throw new HttpRefusal(400);
  }
  return input;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new HttpRefusal(400);
  }
}

function functionInfo({ name, registered }: AppFunction): Record<string, unknown> {
  const bindings = Object.entries(registered.metadata.bindings).map(([bindingName, binding]) => ({
    ...binding,
    name: bindingName,
  }));
  return { name, config: { name, language: 'node', bindings } };
}

function hostStatus(): Record<string, unknown> {
  const core = installFunctionsCore();
  return {
    state: 'Running',
    version: core.hostVersion,
    processUptime: Math.round(process.uptime() * 1000),
  };
}

function writeJson(options: AdminOptions, response: ServerResponse, status: number, value: unknown): void {
  const answer = {
    statusCode: String(status),
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: { json: JSON.stringify(value) },
  };
  writeAnswer(response, answer, { close: options.draining(), headOnly: false });
}
