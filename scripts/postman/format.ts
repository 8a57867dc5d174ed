/** The part of the Postman collection format v2.1 that is used here. */
export const collectionSchema = 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json';

export interface PostmanField {
  readonly key: string;
  readonly value: string;
  readonly description?: string;
  readonly disabled?: boolean;
}

export interface PostmanUrl {
  readonly raw: string;
  readonly host: readonly string[];
  readonly path?: readonly string[];
  readonly query?: readonly PostmanField[];
  readonly variable?: readonly PostmanField[];
}

export type PostmanBody =
  | { readonly mode: 'raw'; readonly raw: string; readonly options: { readonly raw: { readonly language: 'json' } } }
  | { readonly mode: 'urlencoded'; readonly urlencoded: readonly PostmanField[] };

export interface PostmanAuth {
  readonly type: 'noauth' | 'apikey';
  readonly apikey?: readonly { readonly key: string; readonly value: string; readonly type: 'string' }[];
}

export interface PostmanScript {
  readonly listen: 'prerequest' | 'test';
  readonly script: { readonly type: 'text/javascript'; readonly exec: readonly string[] };
}

export interface PostmanItem {
  readonly name: string;
  readonly event?: readonly PostmanScript[];
  readonly protocolProfileBehavior?: { readonly followRedirects: boolean };
  readonly request: {
    readonly method: string;
    readonly auth?: PostmanAuth;
    readonly description?: string;
    readonly header: readonly PostmanField[];
    readonly url: PostmanUrl;
    readonly body?: PostmanBody;
  };
}

export interface PostmanFolder {
  readonly name: string;
  readonly description: string;
  readonly item: readonly (PostmanItem | PostmanFolder)[];
}

export const noAuth: PostmanAuth = { type: 'noauth' };

/** Sends an API key that a variable holds. */
export function apiKeyAuth(variable: string): PostmanAuth {
  const field = (key: string, value: string) => ({ key, value, type: 'string' as const });
  return {
    type: 'apikey',
    apikey: [field('key', 'x-api-key'), field('value', `{{${variable}}}`), field('in', 'header')],
  };
}

export function jsonBody(value: unknown): PostmanBody {
  return { mode: 'raw', raw: JSON.stringify(value, null, 2), options: { raw: { language: 'json' } } };
}

export const jsonHeader: PostmanField = { key: 'Content-Type', value: 'application/json' };
export const organisationHeader: PostmanField = { key: 'X-Organization-Id', value: '{{organization_id}}' };

/** An address below `{{base_url}}/api`; `:name` in the path is a variable of it. */
export function apiUrl(path: string, fields: Pick<PostmanUrl, 'query' | 'variable'> = {}): PostmanUrl {
  const used = (fields.query ?? []).filter(({ disabled }) => disabled !== true);
  const query = used.length === 0 ? '' : `?${used.map(({ key, value }) => `${key}=${value}`).join('&')}`;
  const parts = `api${path}`.split('/');
  return { raw: `{{base_url}}/${parts.join('/')}${query}`, host: ['{{base_url}}'], path: parts, ...fields };
}
