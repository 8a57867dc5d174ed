import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { compose } from '../src/composition.ts';
import { BrokerError } from '../src/domain/errors.ts';
import { loadSettings, SettingsError } from '../src/settings.ts';
import { verificationTable } from './audit/verification-table.ts';

const hostJson = z.object({ settings: z.record(z.string(), z.string()) });

try {
  const { values } = parseArgs({ options: { month: { type: 'string' } } });
  process.exitCode = await verify(values.month ?? null);
} catch (error) {
  console.error(describe(error));
  process.exitCode = 2;
}

/** Resolves to 0 when nothing is missing or changed, else 1. */
async function verify(month: string | null): Promise<number> {
  if (month !== null && !/^\d{4}(0[1-9]|1[0-2])$/.test(month)) throw new TypeError('--month must be like 202601');
  const { broker, close } = compose(loadSettings(environment()), () => {});
  const { months, checkpoints } = await broker.verifyAudit(month);
  await close();
  console.log(verificationTable(months, checkpoints));
  if (months.length === 0) throw new TypeError(`${month} is not kept any more, or has not begun`);
  const problems = [
    ...months.flatMap((each) => each.problems.map((text) => `${each.month}: ${text}`)),
    ...checkpoints.problems,
  ];
  for (const problem of problems) console.log(`- ${problem}`);
  const count = `${problems.length} problem${problems.length === 1 ? '' : 's'}.`;
  console.log(problems.length === 0 ? 'Nothing is missing or changed.' : count);
  return problems.length === 0 ? 0 : 1;
}

/** The settings of the app: of the environment, or of the embedded host that runs in BOWLINE_HOME. */
function environment(): Readonly<Record<string, string | undefined>> {
  const { env } = process;
  if (env.OAuthStorage || env.AZURE_STORAGE_CONNECTION_STRING || env.OAuthStorage__tableServiceUri) return env;
  const path = join(resolve(env.BOWLINE_HOME?.trim() || '.bowline'), 'host.json');
  try {
    return { ...env, ...hostJson.parse(JSON.parse(readFileSync(path, 'utf8'))).settings };
  } catch {
    throw new TypeError(`No settings: set OAuthStorage and the others, or start Bowline (${path} cannot be read).`);
  }
}

function describe(error: unknown): string {
  if (error instanceof SettingsError) return error.message;
  if (error instanceof BrokerError) return `${error.code}: ${error.message} ${error.detail ?? ''}`.trim();
  return error instanceof Error ? error.message : String(error);
}
