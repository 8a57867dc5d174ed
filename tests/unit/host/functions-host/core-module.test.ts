import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { app } from '@azure/functions';
import { type BuildOptions, build } from 'esbuild';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { installFunctionsCore } from '../../../../src/host/functions-host/core-module.ts';
import { startTestHost, type TestHost } from '../../../support/functions-host-fixture.ts';

const require = createRequire(import.meta.url);
const run = promisify(execFile);

const hosts: TestHost[] = [];
async function startHost(...args: Parameters<typeof startTestHost>): Promise<TestHost> {
  const host = await startTestHost(...args);
  hosts.push(host);
  return host;
}

afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.stop()));
});

describe('contract with @azure/functions', () => {
  it('is held with the version that it was written against', () => {
    expect(require('@azure/functions/package.json').version).toBe('4.16.5');
  });

  it('has every member that the library uses', async () => {
    const library = await readFile(require.resolve('@azure/functions'), 'utf8');
    const used = new Set([...library.matchAll(/\bcoreApi\.(\w+)/g)].map((match) => match[1] as string));
    expect([...used].sort()).toEqual(['log', 'registerFunction', 'registerHook', 'setProgrammingModel']);
    const core = installFunctionsCore() as unknown as Record<string, unknown>;
    for (const member of used) {
      expect(core[member], member).toBeTypeOf('function');
    }
  });

  it('has the members that other packages for the worker use', () => {
    const core = installFunctionsCore();
    expect(core.version).toMatch(/^3\./);
    expect(core.hostVersion).toMatch(/^4\./);
    const disposed = vi.fn();
    const disposable = new core.Disposable(disposed);
    disposable.dispose();
    disposable.dispose();
    expect(disposed).toHaveBeenCalledTimes(1);
  });

  it('gets the programming model of the library, with the calls that an invocation needs', async () => {
    await startHost(() => app.http('hello', { handler: () => ({}) }));
    const model = installFunctionsCore().getProgrammingModel();
    expect(model).toMatchObject({ name: '@azure/functions', version: '4.16.5' });
    const context = {
      invocationId: '1',
      request: { invocationId: '1', functionId: 'f', inputData: [], triggerMetadata: {} },
      metadata: { name: 'f', bindings: { t: { type: 'timerTrigger' } } },
      log: () => {},
    };
    const invocation = model?.getInvocationModel(context);
    expect(invocation?.getArguments).toBeTypeOf('function');
    expect(invocation?.invokeFunction).toBeTypeOf('function');
    expect(invocation?.getResponse).toBeTypeOf('function');
  });

  it('refuses an unknown hook with the error that the library looks for', () => {
    expect(() => installFunctionsCore().registerHook('appBreakfast', () => {})).toThrow(
      expect.objectContaining({ name: 'RangeError', isAzureFunctionsSystemError: true }),
    );
  });
});

describe('in one process', () => {
  it('gives each host only the functions that its own app registered', async () => {
    const slowly = (body: string) => async () => {
      await sleep(20);
      app.http('hello', { handler: () => ({ body }) });
    };
    const [first, second] = await Promise.all([startHost(slowly('first')), startHost(slowly('second'))]);
    expect(await (await first.get('/api/hello')).text()).toBe('first');
    expect(await (await second.get('/api/hello')).text()).toBe('second');
  });

  it('works on when a test runner loads the host module again', async () => {
    const before = await startHost(() => app.http('hello', { handler: () => ({ body: 'before' }) }));
    const core = installFunctionsCore();
    vi.resetModules();
    const again = await import('../../../../src/host/functions-host/core-module.ts');
    const fixture = await import('../../../support/functions-host-fixture.ts');
    expect(again.installFunctionsCore).not.toBe(installFunctionsCore);
    expect(again.installFunctionsCore()).toBe(core);
    expect(require('@azure/functions-core').registerFunction).toBe(core.registerFunction);
    const after = await fixture.startTestHost(() => app.http('hello', { handler: () => ({ body: 'after' }) }));
    hosts.push(after);
    expect(await (await before.get('/api/hello')).text()).toBe('before');
    expect(await (await after.get('/api/hello')).text()).toBe('after');
  });

  it('refuses a function that is registered when no app is being loaded', async () => {
    await startHost(() => app.http('hello', { handler: () => ({}) }));
    expect(() => app.http('late', { handler: () => ({}) })).toThrow(
      'Function "late" was registered outside app startup, where no host can see it.',
    );
  });

  it('refuses a second function of the same name', async () => {
    const twice = () => {
      app.http('hello', { handler: () => ({}) });
      app.http('Hello', { handler: () => ({}) });
    };
    await expect(startTestHost(twice)).rejects.toThrow('A function with the name "Hello" has already been registered.');
  });
});

describe('every way of loading', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'bowline-core-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('finds the core module: CommonJS, ES modules by name, TypeScript, and both bundle formats', async () => {
    const coreModule = path.resolve('src/host/functions-host/core-module.ts');
    const library = JSON.stringify(require.resolve('@azure/functions'));
    const registration = (name: string) => `app.http('${name}', { handler: () => ({}) });`;
    const write = (name: string, text: string) => writeFile(path.join(folder, name), text);
    await write('common.cjs', `const { app } = require(${library}); ${registration('common')}`);
    await write(
      'esm.mjs',
      `import { version } from '@azure/functions-core'; import { app } from ${library}; if (!version) throw new Error('no version'); ${registration('esm')}`,
    );
    await write(
      'typed.ts',
      `import { app } from ${library}; const name: string = 'typed'; app.http(name, { handler: () => ({}) });`,
    );
    await write(
      'bundled.ts',
      `import { app } from ${library}; app.http(process.env.BUNDLE as string, { handler: () => ({}) });`,
    );
    const bundle = (extra: BuildOptions) =>
      build({
        entryPoints: [path.join(folder, 'bundled.ts')],
        bundle: true,
        platform: 'node',
        external: ['@azure/functions-core'],
        ...extra,
      });
    await bundle({ format: 'cjs', outfile: path.join(folder, 'bundle.cjs') });
    const banner = {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    };
    await bundle({ format: 'esm', outfile: path.join(folder, 'bundle.mjs'), banner });
    await write(
      'main.ts',
      `import { emptyApp, installFunctionsCore, loadIntoCore } from ${JSON.stringify(coreModule)};
       installFunctionsCore();
       const app = emptyApp(() => {});
       await loadIntoCore(app, async () => {
         await import('./common.cjs'); await import('./esm.mjs'); await import('./typed.ts');
         process.env.BUNDLE = 'bundleCommon'; await import('./bundle.cjs');
         process.env.BUNDLE = 'bundleEsm'; await import('./bundle.mjs');
       });
       console.log([...app.functions.values()].map((each) => each.metadata.name).join(' '));`,
    );
    const { stdout } = await run(process.execPath, [path.join(folder, 'main.ts')]);
    expect(stdout.trim()).toBe('common esm typed bundleCommon bundleEsm');
  });
});
