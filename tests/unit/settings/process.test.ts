import { describe, expect, test } from 'vitest';
import { loadSettings, SettingsError } from '../../../src/settings.ts';

const least = {
  OAuthStorage: 'UseDevelopmentStorage=true',
  AZURE_KEY_VAULT_URL: 'https://bowline.vault.azure.net',
  PUBLIC_BASE_URL: 'https://bowline.example.com',
};

function problemsOf(environment: Readonly<Record<string, string | undefined>>): readonly string[] {
  try {
    loadSettings(environment);
    return [];
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
}

describe('NODE_TLS_REJECT_UNAUTHORIZED (S-55)', () => {
  test.each(['0', ' 0 '])('is a problem that names it where it is "%s": it lays every token open', (value) => {
    expect(problemsOf({ ...least, NODE_TLS_REJECT_UNAUTHORIZED: value })).toEqual([
      expect.stringContaining('NODE_TLS_REJECT_UNAUTHORIZED'),
    ]);
  });

  test('is told beside the other problems', () => {
    const problems = problemsOf({ ...least, PUBLIC_BASE_URL: 'nonsense', NODE_TLS_REJECT_UNAUTHORIZED: '0' });
    expect(problems.some((problem) => problem.includes('PUBLIC_BASE_URL'))).toBe(true);
    expect(problems.some((problem) => problem.includes('NODE_TLS_REJECT_UNAUTHORIZED'))).toBe(true);
  });

  test.each([undefined, '', '1'])('may be %j, which checks certificates', (value) => {
    expect(problemsOf({ ...least, NODE_TLS_REJECT_UNAUTHORIZED: value })).toEqual([]);
  });
});
