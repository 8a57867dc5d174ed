import { readCsv } from './csv.ts';
import { readPage } from './markdown.ts';

/** What is publicly known of a provider, as somebody wrote it down: short, and partly in words. */
export interface ProviderFacts {
  readonly id: string;
  readonly authorize_url: string;
  readonly token_url: string;
  readonly grants: string;
  readonly client_auth: string;
  readonly pkce: string;
  readonly extra_authorize_params: string;
  readonly scope_separator: string;
  readonly rotates_refresh: string;
  readonly access_ttl_s: string;
  readonly revoke_url: string;
  readonly userinfo_url: string;
  readonly quirk: string;
}

/** Every row but ATProto's, whose endpoints are found in another way. */
export const providerFacts = (readCsv(readPage('tests/providers/facts.csv')) as unknown as ProviderFacts[]).filter(
  ({ grants }) => grants !== 'atproto',
);
