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
    file: 'src/usecases/callers/authenticate.ts',
    anchor: 'if (remembered === undefined) known.set(keyId, record);',
    replacement: 'known.set(keyId, record);',
    tests: ['tests/functions/api-keys.life.test.ts'],
  },
];
