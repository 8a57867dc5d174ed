import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Answer } from '../../support/running-hosts.ts';
import { endProcess, type HostProcess, startHostProcess } from '../../unit/host/host-process.ts';
import type { History } from './history.ts';

/** A real host process on the world's storage and vault. */
export interface ChaosHost {
  readonly name: string;
  readonly url: string;
  readonly process: HostProcess;
  /** Where the host keeps its log. */
  readonly home: string;
  /** Calls the API. Rejects when the connection breaks. */
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** The same. Resolves to undefined when the connection breaks, as it does when the process is killed. */
  tryCall(method: string, path: string, options?: CallOptions): Promise<Answer | undefined>;
  /** Runs a timer now. Resolves when the host has accepted it. */
  trigger(timer: string): Promise<void>;
  /** SIGKILL. Resolves when the process is gone. */
  kill(): Promise<void>;
  /** SIGTERM. Resolves to the exit code. */
  terminate(): Promise<number | null>;
  /** SIGSTOP and SIGCONT. */
  freeze(): void;
  thaw(): void;
}

export interface CallOptions {
  readonly org?: string;
  readonly key?: string;
  readonly body?: unknown;
}

export interface ChaosHostOptions {
  readonly name: string;
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly adminKey: string;
  readonly history: History;
}

/** The process exists at once; the host resolves when it is ready. */
export function launchHost(options: ChaosHostOptions): { process: HostProcess; ready: Promise<ChaosHost> } {
  const { name, folder, environment, history } = options;
  const home = join(folder, name);
  const process = startHostProcess({ entry: 'real', home, environment });
  history.note(name, 'launched');
  return { process, ready: liveHost(process, home, options) };
}

async function liveHost(process: HostProcess, home: string, options: ChaosHostOptions): Promise<ChaosHost> {
  const { name, adminKey, history } = options;
  // A busy machine may need a second wait. A process that has ended rejects at once.
  const url = await process.ready().catch(() => process.ready());
  const { master_key: masterKey } = await process.hostJson();
  history.note(name, 'ready', { pid: process.child.pid });
  const signal = (what: NodeJS.Signals): void => {
    history.note(name, what);
    process.child.kill(what);
  };
  const call: ChaosHost['call'] = async (method, path, { org = 'ORG1', key = adminKey, body } = {}) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { 'x-api-key': key, 'x-organization-id': org, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const json = text.startsWith('{') ? JSON.parse(text) : undefined;
    history.note(name, 'called', { method, path, org, status: response.status, error: json?.error });
    return { status: response.status, text, json };
  };
  return {
    name,
    url,
    process,
    home,
    call,
    tryCall: (method, path, callOptions) => call(method, path, callOptions).catch(() => undefined),
    trigger: async (timer) => {
      const accepted = await fetch(`${url}/admin/functions/${timer}`, {
        method: 'POST',
        headers: { 'x-functions-key': masterKey, 'content-type': 'application/json' },
        body: JSON.stringify({ input: '' }),
      });
      if (accepted.status !== 202) throw new Error(`${timer} was not accepted: ${accepted.status}`);
    },
    kill: async () => {
      history.note(name, 'SIGKILL');
      await endProcess(process);
    },
    terminate: async () => {
      signal('SIGTERM');
      const code = await process.ended();
      history.note(name, 'ended', { code });
      return code;
    },
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
  };
}

/** What a host has logged so far: one JSON object a line. */
export async function logOf({ home }: ChaosHost): Promise<string> {
  try {
    return await readFile(join(home, 'bowline.log'), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}
