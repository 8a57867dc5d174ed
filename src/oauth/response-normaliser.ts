import { type RegisteredError, registeredErrors } from '../domain/registered-errors.ts';
import { defaultShape, type ResponseShape } from './response-shape.ts';

/** A token endpoint's answer as it came. */
export interface RawAnswer {
  readonly status: number;
  readonly contentType: string | null;
  readonly text: string;
}

export interface ProviderSaid {
  /** The registered code that the provider means. Null where its own code is not known. */
  readonly registered: RegisteredError | null;
  /** The provider's own code and text: for the log only. */
  readonly error: string;
  readonly description: string | null;
}

export type NormalisedAnswer =
  /** RFC 6749 section 5.1, whatever it was wrapped in. `rest` is what the provider said beside. */
  | { readonly kind: 'tokens'; readonly fields: TokenFields; readonly rest: Readonly<Record<string, unknown>> }
  /** RFC 6749 section 5.2, whatever status it came with. */
  | { readonly kind: 'error'; readonly said: ProviderSaid }
  | { readonly kind: 'unreadable' };

/** The fields of RFC 6749 section 5.1 under their names, values as they came: nothing is judged here. */
export interface TokenFields {
  readonly access_token: string;
  readonly token_type?: unknown;
  readonly expires_in?: unknown;
  readonly expires_at?: unknown;
  readonly refresh_token?: unknown;
  readonly scope?: unknown;
  readonly id_token?: unknown;
}

type Fields = Readonly<Record<string, unknown>>;

const tokenFieldNames = [
  'access_token',
  'token_type',
  'expires_in',
  'expires_at',
  'refresh_token',
  'scope',
  'id_token',
] as const;

/**
 * Brings an answer of a token endpoint into RFC 6749's form. Pure. Bodies may be JSON or form-encoded under any
 * content type, errors may come with status 200, and tokens may lie in an envelope.
 */
export function normaliseAnswer(answer: RawAnswer, shape: ResponseShape = defaultShape): NormalisedAnswer {
  const body = parseBody(answer);
  if (body === undefined) return { kind: 'unreadable' };
  // A token together with a warning counts as issued: throwing it away would lose a rotated refresh token.
  const tokens = isSuccess(answer.status) ? findTokens(body, shape) : undefined;
  if (tokens !== undefined) return tokens;
  const said = findError(body, shape);
  return said === undefined ? { kind: 'unreadable' } : { kind: 'error', said };
}

export function isSuccess(status: number): boolean {
  return status >= 200 && status <= 299;
}

function parseBody({ contentType, text }: RawAnswer): Fields | undefined {
  try {
    const json: unknown = JSON.parse(text);
    return isFields(json) ? json : undefined;
  } catch {
    return parseForm(contentType, text);
  }
}

function parseForm(contentType: string | null, text: string): Fields | undefined {
  const type = contentType?.split(';')[0]?.trim().toLowerCase() ?? '';
  const isForm = type === 'application/x-www-form-urlencoded' || /^[\w.]+=[^\s<]*$/.test(text.trim());
  if (!isForm) return undefined;
  const fields: Fields = Object.fromEntries(new URLSearchParams(text.trim()));
  return 'access_token' in fields || 'error' in fields ? fields : undefined;
}

function findTokens(body: Fields, shape: ResponseShape): NormalisedAnswer | undefined {
  for (const path of shape.tokenContainers) {
    const found = path === '' ? body : valueAt(body, path);
    const accessToken = isFields(found) ? found[shape.accessTokenField] : undefined;
    if (!isFields(found) || typeof accessToken !== 'string' || accessToken === '') continue;
    const outer = Object.entries(body).filter(([name]) => name !== path.split('.')[0]);
    const isKnown = (name: string) =>
      isTokenField(name) || name === shape.accessTokenField || name === shape.scopeField;
    const rest = [...(path === '' ? [] : outer), ...Object.entries(found)].filter(([name]) => !isKnown(name));
    const fields = tokenFieldNames.filter((name) => Object.hasOwn(found, name)).map((name) => [name, found[name]]);
    const scope = found[shape.scopeField] ?? found.scope;
    return {
      kind: 'tokens',
      fields: { ...Object.fromEntries(fields), access_token: accessToken, ...(scope !== undefined && { scope }) },
      rest: Object.fromEntries(rest),
    };
  }
  return undefined;
}

function findError(body: Fields, shape: ResponseShape): ProviderSaid | undefined {
  const candidates = shape.errorPaths
    .map((path) => valueAt(body, path))
    .filter((value) => (typeof value === 'string' && value.trim() !== '') || typeof value === 'number')
    .map((value) => ({ error: String(value), registered: registeredName(String(value), shape) }));
  const chosen = candidates.find(({ registered }) => registered !== null) ?? candidates[0];
  if (chosen === undefined) return undefined;
  const texts = shape.descriptionPaths.map((path) => valueAt(body, path)).filter((text) => typeof text === 'string');
  return { ...chosen, description: texts.find((text) => text !== '') ?? null };
}

function registeredName(error: string, shape: ResponseShape): RegisteredError | null {
  const name = error.trim().toLowerCase();
  const meant = Object.hasOwn(shape.errorNames, name) ? shape.errorNames[name] : name;
  return registeredErrors.find((registered) => registered === meant) ?? null;
}

/** The value at a path of names. Undefined where there is none. */
export function valueAt(body: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => {
    return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
      ? (value as Fields)[name]
      : undefined;
  }, body);
}

function isTokenField(name: string): boolean {
  return (tokenFieldNames as readonly string[]).includes(name);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
