import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TableClient } from '@azure/data-tables';
import type { HostJson } from '../../src/host/start-host.ts';
import { endProcess, type HostProcess, startHostProcess } from '../unit/host/host-process.ts';

/** Host processes with a folder of their own, all stopped and deleted at the end. */
export interface RunningHosts {
  readonly folder: string;
  /** Starts the real host with everything it embeds. */
  start(environment?: Readonly<Record<string, string>>, home?: string): Promise<LiveHost>;
  /** Starts another process on the same storage and vault. */
  join(first: LiveHost, home: string): Promise<LiveHost>;
  stopAll(): Promise<void>;
}

export interface LiveHost {
  readonly process: HostProcess;
  readonly url: string;
  readonly hostJson: HostJson;
  /** Calls the API as the first administrator, for ORG1. */
  call(method: string, path: string, body?: unknown): Promise<Answer>;
  /** SIGTERM. Resolves to the exit code. */
  stop(): Promise<number | null>;
  /** Lets the organisation's own token have lapsed a minute ago. */
  lapse(connection: string): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came
  readonly json: any;
}

export async function createRunningHosts(): Promise<RunningHosts> {
  const folder = await mkdtemp(join(tmpdir(), 'bowline-hosts-'));
  const processes: HostProcess[] = [];

  const launch = async (
    home: string,
    environment: Readonly<Record<string, string>>,
    key?: string,
  ): Promise<LiveHost> => {
    const host = startHostProcess({ entry: 'real', home: join(folder, home), environment });
    processes.push(host);
    const url = await host.ready();
    const hostJson = await host.hostJson();
    return liveHost(host, url, hostJson, key ?? hostJson.admin_key ?? '');
  };

  return {
    folder,
    start: (environment = {}, home = 'home') => launch(home, { CREDENTIAL_CACHE_SECONDS: '0', ...environment }),
    join: (first, home) => launch(home, first.hostJson.settings, first.hostJson.admin_key ?? ''),
    stopAll: async () => {
      for (const each of processes) await endProcess(each);
      await rm(folder, { recursive: true });
    },
  };
}

function liveHost(host: HostProcess, url: string, hostJson: HostJson, key: string): LiveHost {
  return {
    process: host,
    url,
    hostJson,
    call: async (method, path, body) => {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: { 'x-api-key': key, 'x-organization-id': 'ORG1', 'content-type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, text, json: text.startsWith('{') ? JSON.parse(text) : undefined };
    },
    stop: () => {
      host.child.kill('SIGTERM');
      return host.ended();
    },
    lapse: async (connection) => {
      const table = openTable(hostJson, 'OAuthConnections');
      const value = String(Date.now() - 60_000);
      const expiresAt = { type: 'Int64', value };
      await table.updateEntity({ partitionKey: 'ORG1', rowKey: connection, expires_at: expiresAt }, 'Merge');
    },
  };
}

export function openTable({ settings }: HostJson, name: string): TableClient {
  return TableClient.fromConnectionString(settings.OAuthStorage ?? '', name, { allowInsecureConnection: true });
}
