import { z } from 'zod';
import { clientAuthMethods, flowTypes, scopeSeparators } from '../../domain/connection.ts';
import { type Provider, providerTiers, rotations } from '../../domain/provider.ts';

const variable = z.object({
  name: z.string(),
  label: z.string(),
  description: z.string().nullable(),
  pattern: z.string().meta({ description: 'A regular expression that the whole value matches' }),
  example: z.string(),
  default: z.string().nullable().meta({ description: 'Null: it must be given' }),
  choices: z.array(z.string()).nullable(),
});

const summaryFields = {
  id: z.string(),
  name: z.string(),
  tier: z.enum(providerTiers).meta({
    description: '`proven`: run against a stand-in with the provider’s quirks. `listed`: from public facts, unverified',
  }),
  flows: z.array(z.enum(flowTypes)),
};

export const providerSummary = z.object(summaryFields).meta({ id: 'ProviderSummary' });

export const providerDetail = z
  .object({
    ...summaryFields,
    variables: z.array(variable).meta({ description: 'What to give in `variables`' }),
    client_auth: z.array(z.enum(clientAuthMethods)).meta({ description: 'The first is the default' }),
    authorization_url: z.string().nullable(),
    token_url: z.string(),
    revocation_url: z.string().nullable(),
    introspection_url: z.string().nullable(),
    userinfo_url: z.string().nullable(),
    test_url: z.string().nullable(),
    pkce: z.enum(['required', 'supported', 'ignored']),
    scopes: z.object({
      separator: z.enum(scopeSeparators),
      default: z.string().nullable(),
      offline: z.string().nullable().meta({ description: 'Without this scope there is no refresh token' }),
      unused: z.boolean().meta({ description: 'What is allowed is set where the client is registered' }),
    }),
    rotation: z.enum(rotations).meta({ description: 'What becomes of a refresh token when it is used' }),
    metadata: z
      .array(z.string())
      .nullable()
      .meta({ description: 'What comes beside the token. Null: whatever is safe' }),
    guide: z.object({
      register_at: z.string().nullable(),
      documentation: z.string().nullable(),
      notes: z.array(z.string()),
    }),
  })
  .meta({ id: 'ProviderDetail', description: 'Addresses hold `{variable}` where the administrator gives a value.' });

export function presentProviderSummary({ id, name, tier, flows }: Provider): z.input<typeof providerSummary> {
  return { id, name, tier, flows: [...flows] };
}

export function presentProvider(provider: Provider): z.input<typeof providerDetail> {
  const { variables, endpoints, scopes, guide, metadata } = provider;
  const fromCallback = Object.values(metadata.fromCallback);
  return {
    ...presentProviderSummary(provider),
    variables: Object.entries(variables).map(([name, { choices, ...variable }]) => ({
      name,
      ...variable,
      choices: choices && Object.keys(choices),
    })),
    client_auth: [...provider.clientAuth],
    authorization_url: endpoints.authorization,
    token_url: endpoints.token,
    revocation_url: endpoints.revocation,
    introspection_url: endpoints.introspection,
    userinfo_url: endpoints.userinfo,
    test_url: endpoints.test,
    pkce: provider.requests.pkce,
    scopes: {
      separator: scopes.separator,
      default: scopes.default,
      offline: scopes.offline,
      unused: scopes.isUnused,
    },
    rotation: provider.rotation,
    metadata: metadata.fromAnswer === null ? null : [...fromCallback, ...metadata.fromAnswer],
    guide: { register_at: guide.registerAt, documentation: guide.documentation, notes: [...guide.notes] },
  };
}
