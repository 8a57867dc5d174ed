import { describe, expect, it } from 'vitest';
import { type Caller, defaultOrg, hasOneOf, mayActFor, mayGrant } from '../../../src/domain/caller.ts';
import { GLOBAL, toOrgId } from '../../../src/domain/ids.ts';

const caller = (orgIds: readonly string[], roles: Caller['roles'] = ['admin']): Caller => ({
  kind: 'api_key',
  id: 'key:1',
  name: 'test',
  orgIds,
  roles,
  expiresAt: null,
});
const org = toOrgId('ORG1');

describe('a caller', () => {
  it('acts for the organisations that it names, and a platform caller for all', () => {
    expect(mayActFor(caller(['ORG1']), org)).toBe(true);
    expect(mayActFor(caller(['ORG2']), org)).toBe(false);
    expect(mayActFor(caller(['ORG1']), GLOBAL)).toBe(false);
    expect(mayActFor(caller(['*']), GLOBAL)).toBe(true);
  });

  it('has an organisation without naming one only where there is no choice', () => {
    expect(defaultOrg(caller(['ORG1']))).toBe('ORG1');
    expect(defaultOrg(caller(['ORG1', 'ORG2']))).toBeUndefined();
    expect(defaultOrg(caller(['*']))).toBe('GLOBAL');
  });

  it('has a role only when it is named: admin includes none of the others', () => {
    expect(hasOneOf(caller(['ORG1'], ['admin']), ['reader'])).toBe(false);
    expect(hasOneOf(caller(['ORG1'], ['admin', 'reader']), ['reader'])).toBe(true);
  });

  it('grants neither organisations nor roles that it does not hold', () => {
    const admin = caller(['ORG1', 'ORG2'], ['admin', 'reader']);
    expect(mayGrant(admin, { orgIds: ['ORG1'], roles: ['reader'] })).toBe(true);
    expect(mayGrant(admin, { orgIds: ['ORG3'], roles: ['reader'] })).toBe(false);
    expect(mayGrant(admin, { orgIds: ['*'], roles: ['reader'] })).toBe(false);
    expect(mayGrant(admin, { orgIds: ['ORG1'], roles: ['operator'] })).toBe(false);
    expect(mayGrant(caller(['*']), { orgIds: ['ORG9'], roles: ['admin'] })).toBe(true);
  });
});
