import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { defineRoute, type Permission } from '../../../src/functions/http/route.ts';

const route = {
  name: 'nothing',
  method: 'GET',
  path: '/nothing',
  tag: 'Health',
  summary: 'Nothing',
  audit: 'none',
  responses: { 204: { description: 'Nothing' } },
  handle: async () => ({ status: 204 }),
} as const;

/** The type checker is what runs these: an error that is expected and does not come is an error. */
describe('a route without its permission does not compile (S-02)', () => {
  it('whether it is left out, undefined, or none of those that there are', () => {
    // @ts-expect-error a permission is required
    defineRoute(route);
    // @ts-expect-error undefined is none
    defineRoute({ ...route, permission: undefined });
    // @ts-expect-error nor is this
    defineRoute({ ...route, permission: { kind: 'anybody' } });
    // @ts-expect-error an organisation takes roles
    defineRoute({ ...route, permission: { kind: 'organisation' } });
    // @ts-expect-error that exist
    defineRoute({ ...route, permission: { kind: 'organisation', roles: ['root'] } });
    defineRoute({ ...route, permission: { kind: 'public' } });
    expectTypeOf<Permission['kind']>().toEqualTypeOf<'public' | 'caller' | 'organisation'>();
  });

  it('a handler gets a caller and an organisation only where its permission gives one', () => {
    defineRoute({
      ...route,
      permission: { kind: 'public' },
      // @ts-expect-error nobody is known here
      handle: async (_broker, { caller }) => ({ status: caller ? 200 : 204 }),
    });
    defineRoute({
      ...route,
      permission: { kind: 'caller' },
      // @ts-expect-error no organisation is known here
      handle: async (_broker, { org }) => ({ status: org ? 200 : 204 }),
    });
  });
});

it('one file authenticates and judges roles: authorize.ts (S-02)', () => {
  const root = join(import.meta.dirname, '..', '..', '..', 'src', 'functions');
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const judges = files.filter((name) =>
    /\bauthenticate\(|\bhasOneOf\b|\bmayActFor\b/.test(readFileSync(join(root, name), 'utf8')),
  );
  expect(judges).toEqual([join('http', 'authorize.ts')]);
});
