/**
 * The layers of docs/architecture.md. Each rule names what a folder may import; whatever else it imports is a
 * violation. `npm run layers` checks them;
 * tests/unit/architecture/layers.test.ts proves that each one bites.
 */

/** What is found in node_modules, by its path, whatever package manager put it there. */
const installed = (name) => `(^|/)node_modules/${name}/`;

/** A rule that `from` imports nothing but `allowed` (regular expressions of paths, or names of Node's own modules). */
const only = (name, comment, from, allowed) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from },
  to: { pathNot: allowed },
});

const never = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

module.exports = {
  forbidden: [
    only('domain-imports-domain-only', 'The domain is pure.', '^src/domain/', ['^src/domain/']),
    only('ports-import-domain-only', 'A port speaks the language of the domain.', '^src/ports/', [
      '^src/(domain|ports)/',
    ]),
    only('usecases-import-domain-and-ports', 'A use case sees no technology.', '^src/usecases/', [
      '^src/(domain|ports|usecases)/',
    ]),
    only('oauth-imports-domain-ports-and-its-libraries', 'The protocol client sends through a port.', '^src/oauth/', [
      '^src/(domain|ports|oauth)/',
      installed('oauth4webapi'),
      installed('jose'),
      '^(node:)?(crypto|assert/strict)$',
    ]),
    only('crypto-imports-node-crypto-only', 'Cryptography knows nothing of connections.', '^src/crypto/', [
      '^src/crypto/',
      '^src/domain/secret\\.ts$',
      '^(node:)?crypto$',
    ]),
    only('providers-are-data', 'A provider is data that a schema checks.', '^src/providers/', [
      '^src/(domain|providers)/',
      installed('zod'),
    ]),
    never(
      'adapters-import-no-other-layer',
      'An adapter imports ports, domain, crypto and its own SDK.',
      { path: '^src/adapters/' },
      { path: '^src/', pathNot: '^src/(domain|ports|crypto|adapters)/' },
    ),
    never(
      'adapters-do-not-import-each-other',
      'One folder per technology, and none knows another.',
      { path: '^src/adapters/([^/]+)/' },
      { path: '^src/adapters/', pathNot: '^src/adapters/$1/' },
    ),
    never(
      'adapters-are-imported-by-composition-only',
      'Everybody else is given a port.',
      { path: '^src/', pathNot: '^src/(adapters/|composition\\.ts$)' },
      { path: '^src/adapters/' },
    ),
    never(
      'composition-is-imported-by-main-and-host-only',
      'What sees everything is seen by the entry points alone.',
      { path: '^src/', pathNot: '^src/(main\\.ts$|host/|composition\\.ts$)' },
      { path: '^src/composition\\.ts$' },
    ),
    never(
      'host-is-imported-by-host-only',
      'The embedded host is not part of what Azure runs.',
      { path: '^src/', pathNot: '^src/host/' },
      { path: '^src/host/' },
    ),
    never(
      'azure-packages-stay-at-the-edge',
      'Azure is a detail of adapters, functions, the entry file and the host.',
      { path: '^src/', pathNot: '^src/(adapters/|functions/|main\\.ts$|host/)' },
      { path: installed('@azure') },
    ),
    never(
      'functions-use-azure-types-only',
      'main.ts registers; the functions only borrow the types of requests and answers.',
      { path: '^src/functions/' },
      { path: installed('@azure'), dependencyTypesNot: ['type-only'] },
    ),
    never(
      'no-development-packages-outside-host',
      'The bundle holds what is installed for production; the host runs from source.',
      { path: '^src/', pathNot: '^src/host/' },
      { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    ),
    never('no-cycles', 'Nor by way of types.', { path: '^src/' }, { circular: true }),
    never(
      'everything-resolves',
      'An import that leads nowhere escapes every other rule.',
      {},
      { couldNotResolve: true },
    ),
  ],
  options: {
    // TypeScript 7 has no parser that dependency-cruiser could use: without this it finds no modules, and passes.
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default'],
    },
  },
};
