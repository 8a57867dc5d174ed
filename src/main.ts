import { app, output } from '@azure/functions';
import { type Composition, compose } from './composition.ts';
import { BrokerError } from './domain/errors.ts';
import { registerFunctions } from './functions/register.ts';
import type { ProviderCatalogue } from './ports/provider-catalogue.ts';
import { knownProviders } from './providers/known-providers.ts';
import { registrationSettings, SettingsError, settingsOfProcess } from './settings.ts';

let writeLine: (line: string) => void = (line) => console.log(line);

/** Sends log lines elsewhere than to standard output. */
export function logLinesTo(write: (line: string) => void): void {
  writeLine = write;
}

let catalogue: ProviderCatalogue = knownProviders;

/** Puts another catalogue in place of the real one: for the embedded host's stand-ins. No setting does this. */
export function useProviders(other: ProviderCatalogue): void {
  catalogue = other;
}

const composition = composeOrProblems();

/** Names every faulty setting. Empty when all is well. */
export function settingsProblems(): readonly string[] {
  return 'problems' in composition ? composition.problems : [];
}

/** Makes the tables that are missing. In Azure the templates make them. */
export async function createTables(): Promise<void> {
  await runningComposition().createTables();
}

registerFunctions(
  { app, output },
  {
    ...registrationSettings(),
    broker: () => runningComposition().broker,
    onStart: () => {
      const problems = settingsProblems();
      if (problems.length > 0) writeLine(JSON.stringify({ level: 'error', event: 'misconfigured', problems }));
    },
    onStop: async () => {
      if (!('problems' in composition)) await composition.stop();
    },
  },
);

function composeOrProblems(): Composition | { readonly problems: readonly string[] } {
  try {
    return compose(settingsOfProcess(), (line) => writeLine(line), {
      providers: { get: (id) => catalogue.get(id), list: () => catalogue.list() },
    });
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return { problems: error.problems };
  }
}

/** With faulty settings every function is there and says so. */
function runningComposition(): Composition {
  if (!('problems' in composition)) return composition;
  throw new BrokerError('misconfigured', 'The settings of this deployment are faulty. Its log names them.');
}
