import assert from 'node:assert/strict';
import { rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { emptyApp, installFunctionsCore, loadIntoCore } from '../src/host/functions-host/core-module.ts';

const root = dirname(import.meta.dirname);
const source = join(root, 'src', 'main.ts');
const bundle = join(root, 'dist', 'main.cjs');

/** The names of the functions that a file registers when it is loaded, sorted. */
async function functionsOf(load: () => Promise<unknown>): Promise<readonly string[]> {
  const app = emptyApp(() => {});
  await loadIntoCore(app, async () => {
    await load();
  });
  return [...app.functions.keys()].sort();
}

await rm(join(root, 'dist'), { recursive: true, force: true });
const { warnings } = await build({
  entryPoints: [source],
  outfile: bundle,
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'cjs',
  external: ['@azure/functions-core'],
  minifySyntax: true,
  sourcemap: 'external',
  absWorkingDir: root,
});
assert.deepEqual(warnings, [], 'esbuild has nothing to warn of');

// An entry file that registers nothing deploys without a complaint, and then nothing answers.
installFunctionsCore();
const bundled = await functionsOf(async () => createRequire(import.meta.url)(bundle));
assert.ok(bundled.length > 0, 'the bundle registers functions');
const unbundled = await functionsOf(() => import(pathToFileURL(source).href));
assert.deepEqual(bundled, unbundled, 'the bundle registers what the sources register');

const kilobytes = Math.round((await stat(bundle)).size / 1024);
console.log(`dist/main.cjs: ${kilobytes} KB, ${bundled.length} functions.`);
process.exit(0);
