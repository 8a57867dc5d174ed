import { z } from 'zod';
import { entraIdPattern, type Role } from '../../domain/caller.ts';

const entraId = z.string().regex(entraIdPattern);
const text = z.string().min(1);
const absent = z.never().optional();

/** Keys that a token brings along, or says where to find, are nothing that we would use. */
export const tokenHeader = z.looseObject({
  alg: z.literal('RS256'),
  typ: z.literal('JWT'),
  kid: z.string().min(1).max(256),
  crit: absent,
  jwk: absent,
  jku: absent,
  x5u: absent,
  x5c: absent,
});

const common = z.looseObject({
  iss: text,
  aud: text,
  tid: entraId,
  oid: entraId,
  iat: z.int(),
  nbf: z.int(),
  exp: z.int(),
  scp: z.string().optional(),
  roles: z.array(z.string()).optional(),
  // An ID token has these, and an access token has not.
  nonce: absent,
  at_hash: absent,
  c_hash: absent,
});

/**
 * What an access token of Entra says. It names the client that it was issued to, in a claim that ID tokens do not have,
 * and what that client may do: scopes of a user, or app roles.
 */
export const accessTokenClaims = z
  .discriminatedUnion('ver', [
    common.extend({ ver: z.literal('1.0'), appid: text }),
    common.extend({ ver: z.literal('2.0'), azp: text }),
  ])
  .refine(({ scp, roles }) => scp !== undefined || roles !== undefined, { path: ['scp'] });

export type AccessTokenClaims = z.output<typeof accessTokenClaims>;

const roleOfAppRole: ReadonlyMap<string, Role> = new Map([
  ['Bowline.Admin', 'admin'],
  ['Bowline.Operator', 'operator'],
  ['Bowline.Reader', 'reader'],
  ['Bowline.Auditor', 'auditor'],
]);

/** The roles that a token's app roles give. Those of others' making give none. */
export function rolesOf({ roles = [] }: AccessTokenClaims): readonly Role[] {
  return [...new Set(roles)].flatMap((name) => roleOfAppRole.get(name) ?? []);
}

/**
 * Whether JSON that is well formed has an object in which a name stands twice. Which of them counts is a matter of the
 * parser (RFC 8259 §4), so that two readers of one token could differ.
 */
export function hasRepeatedNames(json: string): boolean {
  const strings = json.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g);
  const written = [...strings].filter(([, colon]) => colon !== undefined).length;
  return written !== countNames(JSON.parse(json));
}

/** Without recursion: the text is not verified yet, and its nesting could be deeper than the stack. */
function countNames(parsed: unknown): number {
  const waiting = [parsed];
  let count = 0;
  while (waiting.length > 0) {
    const value = waiting.pop();
    if (typeof value !== 'object' || value === null) continue;
    const members = Object.values(value);
    if (!Array.isArray(value)) count += members.length;
    for (const member of members) waiting.push(member);
  }
  return count;
}
