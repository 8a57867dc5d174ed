import type { Permission } from './route.ts';

/** Configuration, callers. */
export const administer: Permission & { kind: 'organisation' } = { kind: 'organisation', roles: ['admin'] };
/** Authorize, test, refresh, disconnect. */
export const operate: Permission & { kind: 'organisation' } = { kind: 'organisation', roles: ['operator', 'admin'] };
/** Read what is there, without tokens. */
export const inspect: Permission & { kind: 'organisation' } = {
  kind: 'organisation',
  roles: ['operator', 'auditor', 'admin'],
};
/** The audit log. */
export const audit: Permission & { kind: 'organisation' } = { kind: 'organisation', roles: ['auditor', 'admin'] };
/** Credentials: the one thing that `admin` alone does not give. */
export const readCredentials: Permission & { kind: 'organisation' } = { kind: 'organisation', roles: ['reader'] };
