import type { Provider, ProviderVariable } from '../domain/provider.ts';
import type { Problem } from './provider-rules.ts';
import { endpointTemplates, variablesIn } from './templates.ts';

/** What begins another part of an address, or hides that it does. */
const separators = ['@', '?', '#', '\\', '%', ' ', '\n', '{', '}'];

/** A variable's pattern compiles, is met by example, default and choices, and keeps a value where it belongs. */
export function variableRules(provider: Provider): readonly Problem[] {
  const inAddresses = new Set(endpointTemplates(provider).flatMap(({ template }) => variablesIn(template)));
  return Object.entries(provider.variables).flatMap(([name, variable]) => {
    const pattern = compiled(variable.pattern);
    if (pattern === undefined) return [{ path: ['variables', name, 'pattern'], message: 'does not compile' }];
    return [
      ...valueProblems(name, variable, pattern),
      ...(inAddresses.has(name) ? escapeProblems(provider, name, pattern) : []),
    ];
  });
}

function compiled(pattern: string): RegExp | undefined {
  try {
    return new RegExp(`^(?:${pattern})$`);
  } catch {
    return undefined;
  }
}

function valueProblems(name: string, variable: ProviderVariable, pattern: RegExp): readonly Problem[] {
  const { example, default: usual, choices } = variable;
  const values: [string, string][] = [['example', example]];
  // An empty default says that the variable may stay empty.
  if (usual !== null && usual !== '') values.push(['default', usual]);
  for (const choice of Object.keys(choices ?? {})) values.push(['choices', choice]);
  const unmatched = values.filter(([, value]) => !pattern.test(value));
  const unoffered = values.filter(([, value]) => choices !== null && !Object.hasOwn(choices, value));
  return [
    ...unmatched.map(([part]) => ({ path: ['variables', name, part], message: 'does not match the pattern' })),
    ...unoffered.map(([part]) => ({ path: ['variables', name, part], message: 'is not one of the choices' })),
  ];
}

function escapeProblems(provider: Provider, name: string, pattern: RegExp): readonly Problem[] {
  const { example, pattern: source } = provider.variables[name] as ProviderVariable;
  const isWholeUrl = /^https/.test(source);
  const parts = isWholeUrl ? separators : [...separators, '/'];
  const attempts = parts.flatMap((part) => [part, `${example}${part}`, `${part}${example}`, `${example}${part}evil`]);
  if (isWholeUrl) attempts.push('https://a@evil.example', ...['.', '..', '../a'].map((climb) => `${example}/${climb}`));
  else attempts.push('.', '..');
  if (endsHost(provider, name)) attempts.push('evil', 'xyz', 'evil.example', `${example}.xyz`);
  return attempts.some((attempt) => pattern.test(attempt))
    ? [{ path: ['variables', name, 'pattern'], message: 'lets a value out of its place in the address' }]
    : [];
}

/** `https://login.example.{name}/`: whoever chooses the end of a host's name chooses the host. */
function endsHost(provider: Provider, name: string): boolean {
  const ending = new RegExp(`^https://[^/]+\\{${name}\\}(/|$)`);
  return (
    provider.variables[name]?.choices === null &&
    endpointTemplates(provider).some(({ template }) => ending.test(template))
  );
}
