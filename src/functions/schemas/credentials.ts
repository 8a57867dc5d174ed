import { z } from 'zod';
import { flowTypes } from '../../domain/connection.ts';
import type { Credentials } from '../../usecases/credentials/credentials.ts';
import { iso, isoTime } from './fields.ts';

export const credentialsAnswer = z
  .object({
    connection_name: z.string(),
    org_id: z.string().meta({ description: 'Whose connection it is: the organisation’s own, or GLOBAL' }),
    user_id: z.string().nullable(),
    access_token: z.string(),
    token_type: z.string(),
    expires_at: isoTime.nullable().meta({ description: 'Null: the provider stated no end' }),
    scopes: z.string().nullable(),
    method: z.enum(['saved_token', 'refreshed', ...flowTypes]).meta({
      description: 'What served: the token that was kept, a new one, or the API key that the connection falls back to',
    }),
    metadata: z.record(z.string(), z.unknown()).meta({ description: 'What the provider said beside the token' }),
  })
  .meta({ id: 'Credentials' });

/** Credentials in their wire form. */
export function presentCredentials(found: Credentials): z.input<typeof credentialsAnswer> {
  return {
    connection_name: found.connection,
    org_id: found.org,
    user_id: found.userId,
    access_token: found.accessToken.reveal(),
    token_type: found.tokenType,
    expires_at: iso(found.expiresAt),
    scopes: found.scopes,
    method: found.method,
    metadata: { ...found.metadata },
  };
}
