import { defineRoute } from '../http/route.ts';
import { callerIdentity, presentIdentity } from '../schemas/caller.ts';

export const me = defineRoute({
  name: 'me',
  method: 'GET',
  path: '/oauth/me',
  tag: 'Callers',
  summary: 'Who am I, for which organisations, in which roles',
  permission: { kind: 'caller' },
  audit: 'none',
  responses: { 200: { description: 'The caller', schema: callerIdentity } },
  handle: async (_broker, { caller }) => ({ status: 200, json: presentIdentity(caller) }),
});
