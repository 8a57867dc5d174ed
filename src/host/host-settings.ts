import { resolve } from 'node:path';
import { StartFailure } from './start-failure.ts';

/** The embedded host's own settings. */
export interface HostSettings {
  /** 0: any free port. */
  readonly port: number;
  readonly home: string;
  /** Whether storage, vault and demo authorization server run in this process. */
  readonly embedded: boolean;
  /** Whether stand-ins take the place of all providers of the catalogue. */
  readonly mockProviders: boolean;
}

const defaultPort = '7071';
const defaultHome = '.bowline';
const highestPort = 65_535;

export type Environment = Record<string, string | undefined>;

/** Reads the host's own settings. Throws `StartFailure` that names every faulty one. */
export function readHostSettings(environment: Environment): HostSettings {
  const text = (name: string, fallback: string): string => environment[name]?.trim() || fallback;
  const port = text('BOWLINE_PORT', defaultPort);
  const embedded = text('BOWLINE_EMBEDDED', 'all');
  const problems: string[] = [];
  if (!/^\d{1,5}$/.test(port) || Number(port) > highestPort) {
    problems.push(`BOWLINE_PORT must be a port from 0 to ${highestPort}`);
  }
  if (embedded !== 'all' && embedded !== 'none') problems.push('BOWLINE_EMBEDDED must be none or left out');
  const mock = text('BOWLINE_MOCK_PROVIDERS', 'false');
  if (mock !== 'true' && mock !== 'false') problems.push('BOWLINE_MOCK_PROVIDERS must be true or false');
  if (mock === 'true' && embedded === 'none') {
    problems.push('BOWLINE_MOCK_PROVIDERS is for development: it does not go with BOWLINE_EMBEDDED=none');
  }
  if (problems.length > 0) throw new StartFailure(`Faulty settings: ${problems.join('; ')}.`);
  return {
    port: Number(port),
    home: resolve(text('BOWLINE_HOME', defaultHome)),
    embedded: embedded === 'all',
    mockProviders: mock === 'true',
  };
}
