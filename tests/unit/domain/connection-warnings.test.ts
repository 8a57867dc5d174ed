import { describe, expect, it } from 'vitest';
import type { Connection } from '../../../src/domain/connection.ts';
import { warningsOf } from '../../../src/domain/connection-warnings.ts';
import { dayMs, liveGrant, noon } from './samples.ts';

const withSecret = (clientSecretExpiresAt: number | null, changes: Partial<Connection> = {}) =>
  ({
    clientSecretRef: 'bowline-1',
    ...changes,
    config: { clientAuth: 'client_secret_basic', clientSecretExpiresAt, ...changes.config },
  }) as Connection;
const codes = (connection: Connection, grant = liveGrant()) =>
  warningsOf(connection, grant, noon).map(({ code }) => code);

describe('the warnings of a connection', () => {
  it.each([
    [null, []],
    [noon + 30 * dayMs + 1, []],
    [noon + 30 * dayMs, ['client_secret_expires']],
    [noon + 1, ['client_secret_expires']],
    [noon, ['client_secret_expired']],
  ])('for a secret that ends at %s are %j', (expiresAt, wanted) => {
    expect(codes(withSecret(expiresAt))).toEqual(wanted);
  });

  it('say that a secret is missing, whatever was said of its end', () => {
    expect(codes(withSecret(noon, { clientSecretRef: null }))).toEqual(['client_secret_missing']);
  });

  it('are none about a secret for a client that has none', () => {
    const config = { clientAuth: 'none', clientSecretExpiresAt: noon } as Connection['config'];
    expect(codes(withSecret(noon, { clientSecretRef: null, config }))).toEqual([]);
  });

  it('say that the client serves in a person’s place', () => {
    expect(codes(withSecret(null), liveGrant({ isFallback: true }))).toEqual(['fallback_in_use']);
  });
});
