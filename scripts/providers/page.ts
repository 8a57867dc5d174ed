import { markdownTable } from 'markdown-table';
import type { Provider } from '../../src/domain/provider.ts';

const heads = [
  'id',
  'name',
  'tier',
  'variables',
  'flows',
  'client authentication',
  'PKCE',
  'scopes',
  'refresh token',
  'access token lives',
  'refresh token lives',
  'revocation',
  'notes',
];

/** The page that says what each provider supports. */
export function providersPage(providers: readonly Provider[]): string {
  const count = (tier: Provider['tier']) => providers.filter((provider) => provider.tier === tier).length;
  return `# Providers

Made by \`npm run providers\` from \`src/providers/\`: change an entry there, not here. \`GET /api/oauth/providers\` lists the same, with the notes for whoever registers a client.

There are two tiers. **Proven** (${count('proven')}): described by hand and run against a stand-in that has the provider's quirks. **Listed** (${count('listed')}): taken from public facts and checked against them, but nobody has run it; what is not known is taken for the worst, and a live answer always wins over the table.

${markdownTable([heads, ...providers.map(rowOf)], { alignDelimiters: false })}

- **flows**: the values of \`oauth_flow_type\`. **client authentication**: the values of \`client_auth\`, the default first.
- **variables**: what a connection has to say in \`variables\`; those in brackets have a default.
- **PKCE** is sent always. *Ignored*: the provider is not known to look at it.
- **scopes**: what separates them in a request. *In the client*: they are chosen where the client is registered, and none are sent.
- **refresh token**: *strict*, good once; *overlap*, a new one comes each time and the old one stays good for a while; *stays*, the same one is used again; *unknown*, treated as strict; *none*, a new access token is had without one, or there is no other than the first.
- **lives**: what is assumed where the answer does not say. An access token without one has no end.
- **revocation**: *on request*, because several connections may depend on what it ends.
`;
}

function rowOf(provider: Provider): readonly string[] {
  const { id, name, tier, flows, clientAuth, requests, lives, guide } = provider;
  return [
    `\`${id}\``,
    name,
    tier,
    variablesOf(provider),
    flows.join(', '),
    clientAuth.join(', '),
    requests.pkce,
    provider.scopes.isUnused ? 'in the client' : provider.scopes.separator,
    refreshOf(provider),
    lifeOf(lives.accessTokenSeconds),
    flows.includes('refresh_token') ? lifeOf(lives.refreshTokenSeconds) : '',
    revocationOf(provider),
    String(guide.notes.length),
  ].map((cell) => cell.replaceAll('|', '\\|'));
}

function variablesOf({ variables }: Provider): string {
  return Object.entries(variables)
    .map(([name, variable]) => (variable.default === null ? name : `[${name}]`))
    .join(', ');
}

function refreshOf({ flows, rotation, overlapSeconds }: Provider): string {
  if (!flows.includes('refresh_token')) return 'none';
  if (rotation === 'none') return 'stays';
  return overlapSeconds === null ? rotation : `${rotation}, ${lifeOf(overlapSeconds)}`;
}

function revocationOf({ revocation }: Provider): string {
  if (revocation === null) return 'no';
  return revocation.isShared ? 'on request' : 'yes';
}

function lifeOf(seconds: number | null): string {
  if (seconds === null) return '';
  const units: readonly [number, string][] = [
    [86_400, 'd'],
    [3600, 'h'],
    [60, 'min'],
  ];
  const [size, unit] = units.find(([length]) => seconds % length === 0) ?? [1, 's'];
  return `${seconds / size} ${unit}`;
}
