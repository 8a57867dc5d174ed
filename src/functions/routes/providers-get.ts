import { z } from 'zod';
import { BrokerError } from '../../domain/errors.ts';
import { defineRoute } from '../http/route.ts';
import { presentProvider, providerDetail } from '../schemas/provider.ts';

export const providersGet = defineRoute({
  name: 'providers-get',
  method: 'GET',
  path: '/oauth/providers/{provider_id}',
  tag: 'Providers',
  summary: 'Read what a provider needs: fields to fill in, scopes, notes',
  permission: { kind: 'caller' },
  audit: 'none',
  request: {
    params: z.strictObject({
      provider_id: z
        .string()
        .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'must be an id of the catalogue')
        .meta({ description: 'The provider’s id in the catalogue', example: 'oidc' }),
    }),
  },
  responses: { 200: { description: 'The provider', schema: providerDetail } },
  errors: ['validation_failed', 'provider_not_found'],
  handle: async (broker, { params }) => {
    const provider = broker.providers.get(params.provider_id);
    if (provider === undefined) {
      throw new BrokerError('provider_not_found', `There is no provider "${params.provider_id}" in the catalogue.`);
    }
    return { status: 200, json: presentProvider(provider) };
  },
});
