import type { StandIn } from './stand-in.ts';

/** An ID token comes where nobody asked for one, and errors say no more than the code. */
export const halopsa: StandIn = {
  tokens: (standard) => ({ id_token: null, ...standard }),
  failures: {
    invalid_client: { status: 400, body: { error: 'invalid_client' } },
    invalid_code: { status: 400, body: { error: 'invalid_grant' } },
    invalid_refresh_token: { status: 400, body: { error: 'invalid_grant' } },
  },
};
