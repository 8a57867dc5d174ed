import type { Mutant } from './mutant.ts';

const index = 'tests/unit/usecases/refresh/index-order.test.ts';
const gate = 'tests/unit/adapters/provider-gate.test.ts';
const breaker = 'src/adapters/provider-gate/breaker.ts';

/** Breaks of the refresh path, the due index and the way to a provider. */
export const refreshMutants: readonly Mutant[] = [
  {
    name: 'index before commit',
    file: 'src/usecases/refresh/indexed-stores.ts',
    anchor: `        const result = await grants.commit(claim, change);
        const { key, grant } = claim.stored;
        if (result.kind === 'committed') await move(key, grant, result.stored.grant);
        return result;`,
    replacement: `        const { key, grant } = claim.stored;
        await move(key, grant, change.grant);
        return grants.commit(claim, change);`,
    tests: [index],
  },
  {
    name: 'old index entry removed before the new one is in',
    file: 'src/usecases/refresh/indexed-stores.ts',
    anchor: '      if (to !== null && after !== undefined) await dueIndex.insert(',
    replacement: `      if (from !== null) await dueIndex.remove({ key, at: from });
      if (to !== null && after !== undefined) await dueIndex.insert(`,
    tests: [index],
  },
  {
    name: 'old refresh token dropped when the answer carries none',
    file: 'src/domain/token-set.ts',
    anchor: 'refreshToken: tokens.refreshToken ?? before?.refreshToken ?? null,',
    replacement: 'refreshToken: tokens.refreshToken,',
    tests: ['tests/functions/credentials-get.life.test.ts'],
  },
  {
    name: 'invalid_client treated as dead',
    file: 'src/oauth/error-classification.ts',
    anchor: "  invalid_client: 'provider_rejected_client',",
    replacement: "  invalid_client: 'needs_reauthorization',",
    tests: ['tests/unit/oauth/error-classification.test.ts'],
  },
  {
    name: 'a rejected client costs the grant its tokens',
    file: 'src/usecases/refresh/settle-refresh.ts',
    anchor: "if (error.code !== 'needs_reauthorization' || mintsTokens",
    replacement: "if (!['needs_reauthorization', 'provider_rejected_client'].includes(error.code) || mintsTokens",
    tests: ['tests/functions/credentials-get.failures.test.ts'],
  },
  {
    name: 'no drain: it resolves at once',
    file: 'src/usecases/refresh/single-flight.ts',
    anchor: '      await Promise.allSettled([...inFlight.values()].map(({ landed }) => landed));\n',
    replacement: '',
    tests: ['tests/functions/drain.test.ts'],
  },
  {
    name: 'no drain: claims go on',
    file: 'src/usecases/refresh/single-flight.ts',
    anchor: '      draining = true;\n',
    replacement: '',
    tests: ['tests/functions/drain.test.ts'],
  },
  {
    name: 'flight shared across organisations',
    file: 'src/usecases/refresh/refresh-grant.ts',
    anchor: 'JSON.stringify([key.connectionOrg, key.org, key.connection, key.userId])',
    replacement: 'JSON.stringify([key.connection, key.userId])',
    tests: ['tests/functions/refresh-isolation.test.ts'],
  },
  {
    name: 'provider gate shared across organisations',
    file: 'src/adapters/provider-gate/provider-gate.ts',
    anchor: 'const gateOf = ({ org, server }: ProviderKey) =>',
    replacement: "const gateOf = ({ server }: ProviderKey, org = '') =>",
    tests: ['tests/functions/refresh-isolation.test.ts'],
  },
  {
    name: 'provider gate never stops',
    file: breaker,
    anchor: 'const isOpen = () => inRow >= failures && failedOrgs.size >= orgs;',
    replacement: 'const isOpen = () => inRow < 0;',
    tests: [gate],
  },
  {
    name: 'one organisation stops the calls of all',
    file: breaker,
    anchor: 'const isOpen = () => inRow >= failures && failedOrgs.size >= orgs;',
    replacement: 'const isOpen = () => inRow >= failures;',
    tests: [gate],
    title: 'no tenant can trip another’s',
  },
  {
    name: 'those that fail take every probe',
    file: breaker,
    anchor: "const groupOf = (org: string) => (failedOrgs.has(org) ? 'ofFailed' : 'ofOthers');",
    replacement: "const groupOf = (_org: string) => 'ofFailed' as const;",
    tests: [gate],
    title: 'is there for one that is well and calls seldom',
  },
  {
    name: 'a provider that is down for all is called for each organisation',
    file: 'src/adapters/provider-gate/provider-gate.ts',
    anchor: 'Math.max(gateOf(key).breaker.stoppedMs(key.org), breakers(key.server).stoppedMs(key.org))',
    replacement: 'gateOf(key).breaker.stoppedMs(key.org)',
    tests: [gate],
    title: 'is called by none of them after five failures in a row of three',
  },
  {
    name: 'tokens given out before storage has confirmed them',
    file: 'src/usecases/refresh/settle-refresh.ts',
    anchor: "    case 'unknown':\n",
    replacement:
      "    case 'unknown':\n      return { stored: claim.stored, tokens: issued.tokens, isRefreshed: true };\n",
    tests: ['tests/unit/usecases/refresh/unconfirmed-commit.test.ts'],
  },
];
