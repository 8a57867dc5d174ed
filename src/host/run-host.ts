import { relative } from 'node:path';
import { describeError } from './functions-host/log.ts';
import { StartFailure } from './start-failure.ts';
import { type AppModule, type RunningHost, startHost } from './start-host.ts';

const interruptedExitCode = 130;

/**
 * Runs the embedded host as this process: says when it is ready, drains at the first SIGINT or SIGTERM, exits at once
 * at the second. A start that fails ends with one line on standard error and exit code 1.
 */
export async function runHost(importApp: () => Promise<AppModule>): Promise<void> {
  let host: RunningHost | undefined;
  let stopping = false;
  const onSignal = (): void => {
    if (stopping) process.exit(interruptedExitCode);
    stopping = true;
    if (host !== undefined) void stop(host);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  process.on('unhandledRejection', (reason) => {
    host?.logger.log('error', 'A promise was rejected and nobody looked', { error: describeError(reason) });
  });
  try {
    host = await startHost({ environment: process.env, importApp, show: (line) => console.error(line) });
  } catch (error) {
    console.error(`Bowline cannot start. ${explain(error)}`);
    process.exit(1);
  }
  if (stopping) await stop(host);
  else console.log(greeting(host).join('\n'));
}

async function stop(host: RunningHost): Promise<void> {
  console.log('Stopping: finishing what is in flight. Once more to stop at once.');
  await host.stop();
  process.exit(0);
}

function greeting({ url, home, hostJson }: RunningHost): string[] {
  const near = (path: string): string => (path.startsWith(process.cwd()) ? relative(process.cwd(), path) : path);
  const file = near(home.path('hostJson'));
  const demo = hostJson.demo_provider;
  return [
    ...warning(hostJson),
    `Bowline ready on ${url}`,
    '',
    `  Keys          ${file} (admin_key, master_key)`,
    ...(demo === null ? [] : [`  Demo sign-in  ${demo.issuer} (demo_provider in the same file)`]),
    `  Log           ${near(home.path('log'))}`,
    '',
    'Try next:',
    `  curl ${url}/api/health`,
    ...(hostJson.admin_key === null ? [] : tour(url, file)),
    '',
    'Ctrl-C stops it.',
  ];
}

/** Nobody should take what stand-ins give for the real thing. */
function warning({ mock_providers: mock }: RunningHost['hostJson']): string[] {
  if (mock === null) return [];
  const lines = [
    'MOCK PROVIDERS (BOWLINE_MOCK_PROVIDERS=true)',
    'New connections to providers of the catalogue reach stand-ins, and no real provider.',
    `What can be done there: ${mock.url}`,
    'The client to connect with is in host.json, under mock_providers.',
  ];
  const width = Math.max(...lines.map((line) => line.length));
  const edge = '!'.repeat(width + 6);
  return [edge, ...lines.map((line) => `!! ${line.padEnd(width)} !!`), edge, ''];
}

function tour(url: string, file: string): string[] {
  return [
    `  KEY=$(node -p 'JSON.parse(fs.readFileSync("${file}")).admin_key')`,
    `  curl -H "x-api-key: $KEY" ${url}/api/oauth/me`,
    '  npm run demo',
  ];
}

/** One line: a stack would hide it. */
function explain(error: unknown): string {
  if (error instanceof StartFailure) return error.message.replaceAll(/\s+/g, ' ');
  return error instanceof Error ? `Something unexpected went wrong: ${error.message.split('\n')[0]}` : 'Unknown error.';
}
