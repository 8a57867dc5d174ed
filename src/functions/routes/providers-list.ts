import { z } from 'zod';
import { defineRoute } from '../http/route.ts';
import { presentProviderSummary, providerSummary } from '../schemas/provider.ts';

export const providersList = defineRoute({
  name: 'providers-list',
  method: 'GET',
  path: '/oauth/providers',
  tag: 'Providers',
  summary: 'List the providers that are known by name',
  permission: { kind: 'caller' },
  audit: 'none',
  responses: {
    200: {
      description: 'The catalogue',
      schema: z.object({ providers: z.array(providerSummary), count: z.number() }).meta({ id: 'ProviderList' }),
    },
  },
  handle: async (broker) => {
    const providers = broker.providers.list().map(presentProviderSummary);
    return { status: 200, json: { providers, count: providers.length } };
  },
});
