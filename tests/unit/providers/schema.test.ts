import { describe, expect, test } from 'vitest';
import type { Provider } from '../../../src/domain/provider.ts';
import { registeredErrors } from '../../../src/domain/registered-errors.ts';
import { catalogue } from '../../../src/providers/catalogue.ts';
import { defineProvider, type ProviderInput } from '../../../src/providers/define-provider.ts';
import { providerSchema } from '../../../src/providers/provider-schema.ts';

const sound: ProviderInput = {
  id: 'example',
  name: 'Example',
  tier: 'listed',
  flows: ['authorization_code', 'refresh_token'],
  variables: { shop: { label: 'Shop', pattern: '[a-z0-9][a-z0-9-]{0,62}', example: 'flowers' } },
  endpoints: { authorization: 'https://{shop}.example.com/authorize', token: 'https://{shop}.example.com/token' },
  clientAuth: ['client_secret_post'],
  rotation: 'unknown',
};

const shop = (pattern: string, rest: object = {}): Partial<ProviderInput> => ({
  variables: { shop: { label: 'Shop', pattern, example: 'flowers', ...rest } },
});

function problemsOf(entry: unknown): readonly string[] {
  const { error } = providerSchema.safeParse(entry);
  return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')} ${message}`);
}

const jwt = {
  style: 'assertion',
  algorithm: 'RS256',
  issuer: '{client_id}',
  subject: null,
  audience: 'https://example.com',
  scopesIn: 'claim',
  lifeSeconds: 60,
} as const;

/** Each makes the sound entry unsound in one way. */
const faults: readonly [string, Partial<ProviderInput>, string][] = [
  ['an id that is not in kebab-case', { id: 'Example_1' }, 'id must be in kebab-case'],
  [
    'an address without https',
    { endpoints: { token: 'http://{shop}.example.com/t', authorization: 'https://a.example.com/' } },
    'endpoints.token must be https',
  ],
  [
    'an address with a user in it',
    { endpoints: { token: 'https://a@{shop}.example.com/t', authorization: 'https://a.example.com/' } },
    'endpoints.token must be https',
  ],
  [
    'an address whose beginning is a variable that is no URL',
    { endpoints: { token: '{shop}/token', authorization: 'https://a.example.com/' } },
    'endpoints.token must be https',
  ],
  [
    'no token endpoint',
    { endpoints: { token: '', authorization: 'https://{shop}.example.com/' } },
    'endpoints.token is needed',
  ],
  ['discovery without an issuer', { discovers: true }, 'endpoints.issuer is needed'],
  [
    'a variable that nobody declared',
    { requests: { tokenParams: { account: '{account}' } } },
    'requests.tokenParams.account names {account}, which is not declared',
  ],
  [
    'a variable that nobody uses',
    { endpoints: { authorization: 'https://example.com/authorize', token: 'https://example.com/token' } },
    'variables.shop is used nowhere',
  ],
  ['a pattern that does not compile', shop('[a-z'), 'variables.shop.pattern does not compile'],
  ['an example that the pattern refuses', shop('[0-9]+'), 'variables.shop.example does not match the pattern'],
  [
    'a default that the pattern refuses',
    shop('[a-z]+', { default: '1' }),
    'variables.shop.default does not match the pattern',
  ],
  [
    'a choice that the pattern refuses',
    shop('flowers', { choices: { flowers: 'a', trees: 'b' } }),
    'variables.shop.choices does not match the pattern',
  ],
  [
    'a default that is no choice',
    shop('[a-z]+', { choices: { flowers: 'a' }, default: 'trees' }),
    'variables.shop.default is not one of the choices',
  ],
  ...['.*', '[a-z./]+', '[a-z@.]+', '[a-z:?]+', '[^/]+', '[a-z.]+', '[a-z%]+', '\\S+'].map(
    (pattern): [string, Partial<ProviderInput>, string] => [
      `the pattern ${pattern} in an address`,
      shop(pattern),
      'variables.shop.pattern lets a value out of its place in the address',
    ],
  ),
  [
    'an end of a host that anybody may choose',
    {
      ...shop('[a-z]+'),
      endpoints: { authorization: 'https://example.{shop}/authorize', token: 'https://example.{shop}/token' },
    },
    'variables.shop.pattern lets a value out of its place in the address',
  ],
  [
    'a base URL that a path may climb out of',
    {
      variables: { shop: { label: 'Shop', pattern: 'https://[a-z./]+', example: 'https://a.example' } },
      endpoints: { authorization: '{shop}/authorize', token: '{shop}/token' },
    },
    'variables.shop.pattern lets a value out of its place in the address',
  ],
  [
    'people’s sign-in without an authorization endpoint',
    { endpoints: { token: 'https://{shop}.example.com/token' } },
    'endpoints.authorization is needed by authorization_code',
  ],
  [
    'an authorization endpoint that no flow uses',
    { flows: ['client_credentials'] },
    'endpoints.authorization is there without the flow authorization_code',
  ],
  [
    'devices without an endpoint for them',
    { flows: ['authorization_code', 'device_code'] },
    'endpoints.deviceAuthorization is needed by device_code',
  ],
  [
    'assertions that nothing describes',
    { flows: ['authorization_code', 'jwt_bearer'] },
    'jwt is needed by jwt_bearer, and by nothing else',
  ],
  ['a description of assertions without the flow', { jwt }, 'jwt is needed by jwt_bearer, and by nothing else'],
  [
    'a name of an error in upper case',
    { answers: { errorNames: { BAD_TOKEN: 'invalid_grant' } } },
    'answers.errorNames.BAD_TOKEN Invalid key in record',
  ],
  [
    'an error that stands for no registered one',
    { answers: { errorNames: { bad_token: 'dead' } } },
    'answers.errorNames.bad_token Invalid option',
  ],
  [
    'a parameter that only Bowline sets',
    { requests: { authorizeParams: { State: 'x' } } },
    'requests.authorizeParams.State is not for a catalogue to set',
  ],
  [
    'a secret among the parameters',
    { requests: { tokenParams: { api_key: 'x' } } },
    'requests.tokenParams.api_key is not for a catalogue to set',
  ],
  ['an overlap without overlapping', { overlapSeconds: 60 }, 'overlapSeconds goes with the rotation overlap'],
  [
    'default scopes where none can be sent',
    { scopes: { isUnused: true, default: 'read' } },
    'scopes are unused: none can be sent',
  ],
  ['no client authentication', { clientAuth: [] }, 'clientAuth Too small'],
];

describe('the schema of an entry', () => {
  test.each(catalogue.map((provider) => [provider.id, provider] as const))('accepts %s', (_id, provider) => {
    expect(problemsOf(provider)).toEqual([]);
  });

  test('accepts the sound example, which the faults below start from', () => {
    expect(problemsOf(defineProvider(sound))).toEqual([]);
  });

  test.each(faults)('refuses %s', (_what, fault, problem) => {
    expect(problemsOf(defineProvider({ ...sound, ...fault } as ProviderInput)).join('\n')).toContain(problem);
  });

  test('refuses a field that it does not know, at any depth', () => {
    const entry: Provider = defineProvider(sound);
    expect(problemsOf({ ...entry, client_secret: 'x' })).toEqual([' Unrecognized key: "client_secret"']);
    expect(problemsOf({ ...entry, requests: { ...entry.requests, sekrit: 'x' } })).toEqual([
      'requests Unrecognized key: "sekrit"',
    ]);
  });

  test('lets a name mean each registered error that answers are understood by', () => {
    const errorNames = Object.fromEntries(registeredErrors.map((meaning, at) => [`name_${at}`, meaning]));
    expect(problemsOf(defineProvider({ ...sound, answers: { errorNames } }))).toEqual([]);
  });
});
