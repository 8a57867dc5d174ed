import type { Mutant } from './mutant.ts';

const callback = 'tests/functions/callback-get.test.ts';

/** Breaks of who gets what: caches, authorizations, callers. */
export const accessMutants: readonly Mutant[] = [
  {
    name: 'credential cache without organisation in its key',
    file: 'src/usecases/credentials/get-credentials.ts',
    anchor: 'JSON.stringify([request.org, request.name, request.userId])',
    replacement: 'JSON.stringify([request.name, request.userId])',
    tests: ['tests/functions/credentials-get.cache.test.ts'],
  },
  {
    name: 'state not consumed',
    file: 'src/usecases/authorization/take-transaction.ts',
    anchor: 'if (!(await transactions.consume(stateHash)) || isExpired) throw',
    replacement: 'if (isExpired) throw',
    tests: [callback],
  },
  {
    name: 'expired transaction accepted',
    file: 'src/usecases/authorization/take-transaction.ts',
    anchor: 'const isExpired = transaction.expiresAt <= clock.now();',
    replacement: 'const isExpired = clock.now() < 0;',
    tests: [callback],
  },
  {
    name: "a user's grant of other endpoints is served",
    file: 'src/usecases/connections/find-connection.ts',
    anchor: 'return stored?.grant.endpointsId === found.connection.endpointsId ? stored : undefined;',
    replacement: 'return stored;',
    tests: ['tests/functions/connections-update-tokens.test.ts'],
  },
  {
    name: 'change of account not refused',
    file: 'src/usecases/authorization/accept-tokens.ts',
    anchor: 'accountRefusal(transaction, before, issued.tokens) ?? ',
    replacement: '',
    tests: ['tests/functions/callback-get.kept.test.ts'],
  },
  {
    name: 'API key remembered for as long as it is used',
    file: 'src/usecases/callers/authenticate-key.ts',
    anchor: 'if (remembered === undefined) knownKeys.set(keyId, record);',
    replacement: 'knownKeys.set(keyId, record);',
    tests: ['tests/functions/api-keys.life.test.ts'],
  },
  {
    name: 'Entra token of any audience',
    file: 'src/adapters/entra/token-verifier.ts',
    anchor: "if (!audiences.includes(claims.aud)) throw refused('aud');",
    replacement: '',
    tests: ['tests/security/s-03-jwt-validation.test.ts'],
  },
  {
    name: 'Entra roles beyond the registration',
    file: 'src/usecases/callers/authenticate-principal.ts',
    anchor: 'principal.roles.filter((role) => record.roles.includes(role))',
    replacement: 'principal.roles',
    tests: ['tests/functions/callers.entra.test.ts'],
  },
  {
    name: 'API key rotated twice',
    file: 'src/usecases/callers/rotate-key.ts',
    anchor: 'rotatedTo === null',
    replacement: 'rotatedTo !== undefined',
    tests: ['tests/security/s-05-api-keys.test.ts'],
  },
  {
    name: 'calls not counted',
    file: 'src/functions/http/authorize.ts',
    anchor: 'await broker.limits.calls.count(',
    replacement: 'void (',
    tests: ['tests/security/s-69-limits.test.ts'],
  },
  {
    name: 'role not asked for',
    file: 'src/functions/http/authorize.ts',
    anchor: 'if (!hasOneOf(caller, permission.roles)) {',
    replacement: 'if (permission.roles.length === 0) {',
    tests: ['tests/security/s-06-route-matrix.test.ts'],
  },
  {
    name: 'storage queried across partitions',
    file: 'src/adapters/azure-tables/table.ts',
    anchor: 'const partition = partitionKey === undefined ?',
    replacement: 'const partition = partitionKey !== null ?',
    tests: ['tests/security/s-08-partitions.test.ts'],
  },
];
