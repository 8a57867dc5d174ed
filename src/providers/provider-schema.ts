import { z } from 'zod';
import { clientAuthMethods, flowTypes, scopeSeparators } from '../domain/connection.ts';
import { type Provider, providerTiers, revocationReaches, revocationStyles, rotations } from '../domain/provider.ts';
import { registeredErrors } from '../domain/registered-errors.ts';
import { endpointRules, flowRules, templateRules } from './provider-rules.ts';
import { variableRules } from './variable-rules.ts';

const text = z.string().min(1).max(2000);
const template = z.string().max(2000);
const parameterName = z.string().regex(/^[A-Za-z][A-Za-z0-9_.[\]-]{0,99}$/);
const headerName = z.string().regex(/^[a-z][a-z0-9-]*$/, 'must be in lower case');
const path = z.string().regex(/^[A-Za-z_][\w-]*(\.[\w-]+)*$/, 'must be a path of names');
const seconds = z.int().positive();
const link = z.url({ protocol: /^https$/ });

const variable = z.strictObject({
  label: text,
  description: text.nullable(),
  pattern: text,
  example: text,
  default: z.string().nullable(),
  choices: z.record(text, text).nullable(),
});

const endpoints = z.strictObject({
  authorization: template.nullable(),
  token: template,
  refresh: template.nullable(),
  issuer: template.nullable(),
  revocation: template.nullable(),
  introspection: template.nullable(),
  userinfo: template.nullable(),
  test: template.nullable(),
  deviceAuthorization: template.nullable(),
  pushedAuthorization: template.nullable(),
});

const requests = z.strictObject({
  pkce: z.enum(['required', 'supported', 'ignored']),
  authorizeParams: z.record(parameterName, template),
  tokenParams: z.record(parameterName, template),
  bodyFormat: z.enum(['form', 'json']),
  headers: z.record(z.string().regex(/^[A-Za-z][A-Za-z0-9-]*$/), template),
  tokenHeader: z.strictObject({ name: headerName, prefix: z.string().regex(/^([A-Za-z]+ )?$/) }),
  renamedParams: z.record(parameterName, parameterName),
  redirectUri: template.nullable(),
  repeatsRedirectUri: z.boolean(),
  codeParam: parameterName,
});

const scopeName = z.string().regex(/^[^\s,]+$/, 'must be one scope');

const scopes = z.strictObject({
  separator: z.enum(scopeSeparators),
  default: text.nullable(),
  clientDefault: z.string().nullable(),
  offline: text.nullable(),
  isUnused: z.boolean(),
  aliases: z.record(scopeName, scopeName),
});

const lives = z.strictObject({
  accessTokenSeconds: seconds.nullable(),
  refreshTokenSeconds: seconds.nullable(),
  keepAliveSeconds: seconds,
  refreshMarginSeconds: seconds.nullable(),
});

const answers = z.strictObject({
  tokenContainers: z.array(z.union([z.literal(''), path])).min(1),
  accessTokenField: path,
  scopeField: path,
  errorPaths: z.array(path),
  errorNames: z.record(z.string().regex(/^[^A-Z]+$/, 'must be in lower case'), z.enum(registeredErrors)),
  nonPositiveLife: z.enum(['lapsed', 'endless']),
});

const jwt = z.strictObject({
  style: z.enum(['assertion', 'bearer']),
  algorithm: z.enum(['RS256', 'PS256', 'ES256']),
  issuer: text,
  subject: text.nullable(),
  audience: text,
  scopesIn: z.enum(['claim', 'parameter', 'nowhere']),
  authenticatesClient: z.boolean(),
  lifeSeconds: seconds.max(3600),
});

/** Each field of an entry by itself. A field that `Provider` has and this lacks does not compile. */
const fields = z.strictObject({
  id: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'must be in kebab-case'),
  name: text,
  tier: z.enum(providerTiers),
  flows: z.array(z.enum(flowTypes)).min(1),
  variables: z.record(z.string().regex(/^[A-Za-z][A-Za-z0-9_]*$/), variable),
  discovers: z.boolean(),
  endpoints,
  clientAuth: z.array(z.enum(clientAuthMethods)).min(1),
  requests,
  scopes,
  rotation: z.enum(rotations),
  overlapSeconds: seconds.nullable(),
  lives,
  answers,
  metadata: z.strictObject({
    fromCallback: z.record(parameterName, parameterName),
    fromAnswer: z.array(parameterName).nullable(),
    accountPath: path.nullable(),
    userinfoAccountPath: path.nullable(),
  }),
  revocation: z
    .strictObject({
      style: z.enum(revocationStyles),
      method: z.enum(['POST', 'DELETE']),
      bodyFormat: z.enum(['form', 'json']).nullable(),
      isShared: z.boolean(),
      reach: z.enum(revocationReaches),
    })
    .nullable(),
  jwt: jwt.nullable(),
  guide: z.strictObject({ registerAt: link.nullable(), documentation: link.nullable(), notes: z.array(text) }),
}) satisfies z.ZodType<Provider>;

/**
 * What an entry of the catalogue must be: every field known and of its form, every template complete, and nothing in
 * it that could send a request elsewhere.
 */
export const providerSchema = fields.superRefine((provider, context) => {
  const problems = [
    ...variableRules(provider),
    ...endpointRules(provider),
    ...templateRules(provider),
    ...flowRules(provider),
  ];
  for (const { path: at, message } of problems) context.addIssue({ code: 'custom', path: [...at], message });
});
