import {
  type Provider,
  type ProviderAnswers,
  type ProviderEndpoints,
  type ProviderGuide,
  type ProviderJwt,
  type ProviderLives,
  type ProviderMetadata,
  type ProviderRequests,
  type ProviderRevocation,
  type ProviderScopes,
  type ProviderVariable,
  unknownProvider,
} from '../domain/provider.ts';

/** A provider as its file says it: only what differs from the standards. */
export interface ProviderInput
  extends Pick<Provider, 'id' | 'name' | 'tier' | 'flows' | 'clientAuth' | 'rotation'>,
    Partial<Pick<Provider, 'overlapSeconds' | 'discovers'>> {
  readonly variables?: Readonly<Record<string, VariableInput>>;
  readonly endpoints: Pick<ProviderEndpoints, 'token'> & Partial<ProviderEndpoints>;
  readonly requests?: Partial<ProviderRequests>;
  readonly scopes?: Partial<ProviderScopes>;
  readonly lives?: Partial<ProviderLives>;
  readonly answers?: Partial<ProviderAnswers>;
  readonly metadata?: Partial<ProviderMetadata>;
  /** Left out: by RFC 7009 where there is a revocation endpoint. */
  readonly revocation?: Partial<ProviderRevocation>;
  readonly jwt?: Omit<ProviderJwt, 'authenticatesClient'> & Partial<ProviderJwt>;
  readonly guide?: Partial<ProviderGuide>;
}

type VariableInput = Pick<ProviderVariable, 'label' | 'pattern' | 'example'> & Partial<ProviderVariable>;

/** Fills in what the standards say. */
export function defineProvider(input: ProviderInput): Provider {
  const { endpoints } = input;
  return {
    ...input,
    discovers: input.discovers ?? false,
    variables: Object.fromEntries(
      Object.entries(input.variables ?? {}).map(([name, variable]) => [
        name,
        { description: null, default: null, choices: null, ...variable },
      ]),
    ),
    endpoints: {
      authorization: null,
      refresh: null,
      issuer: null,
      revocation: null,
      introspection: null,
      userinfo: null,
      test: null,
      deviceAuthorization: null,
      pushedAuthorization: null,
      ...endpoints,
    },
    requests: { ...unknownProvider.requests, ...input.requests },
    scopes: { ...unknownProvider.scopes, ...input.scopes },
    overlapSeconds: input.overlapSeconds ?? null,
    lives: { ...unknownProvider.lives, ...input.lives },
    answers: { ...unknownProvider.answers, ...input.answers },
    metadata: { ...unknownProvider.metadata, ...input.metadata },
    revocation: endpoints.revocation ? { ...unknownProvider.revocation, ...input.revocation } : null,
    jwt: input.jwt === undefined ? null : { authenticatesClient: false, ...input.jwt },
    guide: { registerAt: null, documentation: null, notes: [], ...input.guide },
  };
}
