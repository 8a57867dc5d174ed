import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cruiseLayers, layerRules } from '../../../scripts/layers/cruise.ts';

/** A program of one file per layer whose imports are all allowed. */
const lawful = {
  'src/domain/ids.ts': 'export const id = 1;',
  'src/domain/secret.ts': "import { id } from './ids.ts'; export const secret = id;",
  'src/ports/clock.ts': "import { id } from '../domain/ids.ts'; export const clock = id;",
  'src/ports/store.ts': "import { clock } from './clock.ts'; export const store = clock;",
  'src/usecases/create.ts': "import { store } from '../ports/store.ts'; export const create = store;",
  'src/oauth/client.ts':
    "import { jose } from 'jose'; import { o } from 'oauth4webapi'; export const client = [jose, o];",
  'src/crypto/fernet.ts':
    "import { hash } from 'node:crypto'; import { secret } from '../domain/secret.ts'; export const seal = [hash, secret];",
  'src/providers/schema.ts': "import { zod } from 'zod'; export const schema = zod;",
  'src/adapters/tables/grants.ts':
    "import { a } from '@azure/data-tables'; import { seal } from '../../crypto/fernet.ts'; import { rows } from './rows.ts'; export const grants = [a, seal, rows];",
  'src/adapters/tables/rows.ts': "import { clock } from '../../ports/clock.ts'; export const rows = clock;",
  'src/adapters/vault/client.ts': 'export const vault = 1;',
  'src/settings.ts': 'export const settings = 1;',
  'src/composition.ts':
    "import { grants } from './adapters/tables/grants.ts'; import { create } from './usecases/create.ts'; export const broker = [grants, create];",
  'src/functions/route.ts':
    "import type { a } from '@azure/functions'; import { create } from '../usecases/create.ts'; export const route = create; export type A = typeof a;",
  'src/main.ts':
    "import { a } from '@azure/functions'; import { broker } from './composition.ts'; export const app = [a, broker];",
  'src/host/main.ts':
    "import { a } from '@azure/functions'; import { broker } from '../composition.ts'; import { o } from 'dev-only'; export const host = [a, broker, o];",
};

const packages = {
  jose: 'jose',
  oauth4webapi: 'o',
  zod: 'zod',
  '@azure/functions': 'a',
  '@azure/data-tables': 'a',
  'dev-only': 'o',
  other: 'o',
};

/** One breach per rule, or several where a rule has several sides. */
const breaches: readonly (readonly [rule: string, file: string, text: string])[] = [
  ['domain-imports-domain-only', 'src/domain/bad.ts', "import '../ports/clock.ts';"],
  ['domain-imports-domain-only', 'src/domain/bad.ts', "import 'node:crypto';"],
  ['domain-imports-domain-only', 'src/domain/bad.ts', "import type { zod } from 'zod'; export type T = typeof zod;"],
  ['ports-import-domain-only', 'src/ports/bad.ts', "import '../usecases/create.ts';"],
  ['ports-import-domain-only', 'src/ports/bad.ts', "import type { Server } from 'node:http'; export type T = Server;"],
  ['usecases-import-domain-and-ports', 'src/usecases/bad.ts', "import '../oauth/client.ts';"],
  ['usecases-import-domain-and-ports', 'src/usecases/bad.ts', "import '../settings.ts';"],
  ['usecases-import-domain-and-ports', 'src/usecases/bad.ts', "import 'zod';"],
  ['oauth-imports-domain-ports-and-its-libraries', 'src/oauth/bad.ts', "import '../usecases/create.ts';"],
  ['oauth-imports-domain-ports-and-its-libraries', 'src/oauth/bad.ts', "import 'zod';"],
  ['oauth-imports-domain-ports-and-its-libraries', 'src/oauth/bad.ts', "import 'node:http';"],
  ['crypto-imports-node-crypto-only', 'src/crypto/bad.ts', "import '../domain/ids.ts';"],
  ['crypto-imports-node-crypto-only', 'src/crypto/bad.ts', "import 'node:fs';"],
  ['providers-are-data', 'src/providers/bad.ts', "import '../oauth/client.ts';"],
  ['adapters-import-no-other-layer', 'src/adapters/tables/bad.ts', "import '../../usecases/create.ts';"],
  ['adapters-import-no-other-layer', 'src/adapters/tables/bad.ts', "import '../../settings.ts';"],
  ['adapters-do-not-import-each-other', 'src/adapters/tables/bad.ts', "import '../vault/client.ts';"],
  ['adapters-are-imported-by-composition-only', 'src/functions/bad.ts', "import '../adapters/vault/client.ts';"],
  ['adapters-are-imported-by-composition-only', 'src/host/bad.ts', "import '../adapters/vault/client.ts';"],
  ['composition-is-imported-by-main-and-host-only', 'src/functions/bad.ts', "import '../composition.ts';"],
  ['host-is-imported-by-host-only', 'src/bad.ts', "import './host/main.ts';"],
  [
    'azure-packages-stay-at-the-edge',
    'src/bad.ts',
    "import type { a } from '@azure/functions'; export type T = typeof a;",
  ],
  [
    'functions-use-azure-types-only',
    'src/functions/bad.ts',
    "import { a } from '@azure/functions'; export const b = a;",
  ],
  ['no-development-packages-outside-host', 'src/bad.ts', "import 'dev-only';"],
  ['no-development-packages-outside-host', 'src/bad.ts', "import 'other';"],
  [
    'no-cycles',
    'src/domain/bad.ts',
    "import type { B } from './worse.ts'; export type A = B; export type { C } from './worse.ts';",
  ],
  ['everything-resolves', 'src/bad.ts', "import './nowhere.ts';"],
];

let root: string;

beforeAll(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'bowline-layers-')));
  const names = Object.keys(packages);
  const { 'dev-only': development, other: _, ...dependencies } = packages;
  await write('package.json', JSON.stringify({ dependencies, devDependencies: { 'dev-only': development } }));
  for (const name of names) {
    await write(`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'index.js' }));
    await write(`node_modules/${name}/index.js`, '');
  }
  for (const [file, text] of Object.entries(lawful)) await write(file, text);
});

afterAll(() => rm(root, { recursive: true, force: true }));

async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(join(root, file)), { recursive: true });
  await writeFile(join(root, file), text);
}

describe('the layer rules', () => {
  test('accept a program whose imports are all allowed, and look at every file of it', async () => {
    const report = await cruiseLayers(root);
    expect(report).toEqual({ violations: [], unseen: [], seenCount: Object.keys(lawful).length });
  });

  test.each(breaches)('%s: %s may not hold %s', async (rule, file, text) => {
    await write(file, text);
    if (text.includes('./worse.ts'))
      await write('src/domain/worse.ts', "export type { A as B, A as C } from './bad.ts';");
    try {
      const { violations } = await cruiseLayers(root);
      expect(violations.map((violation) => violation.slice(0, violation.indexOf(':')))).toContain(rule);
    } finally {
      await rm(join(root, file));
      await rm(join(root, 'src/domain/worse.ts'), { force: true });
    }
  });

  test('are each broken above', () => {
    const broken = new Set(breaches.map(([rule]) => rule));
    expect(
      layerRules()
        .forbidden?.map(({ name }) => name)
        .filter((name) => !broken.has(name ?? '')),
    ).toEqual([]);
  });
});
