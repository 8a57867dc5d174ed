import { recovery, type SecretAt, type SecretStore, type SecretVersion, type StoredSecret } from './secret-store.ts';
import { VaultError } from './vault-error.ts';

export interface VaultRequest {
  readonly method: string;
  readonly url: URL;
  readonly body: unknown;
  /** Origin of the ids and links in the answer. */
  readonly origin: string;
}

const defaultPageSize = 25;

/** Answers one request of the secrets REST API. Undefined is an answer without content. Throws `VaultError`. */
export function answerVaultRequest(store: SecretStore, request: VaultRequest): unknown {
  const [collection = '', name, extra] = request.url.pathname.split('/').slice(1).map(decodeURIComponent);
  const answer = answers(store, request)[`${request.method} ${shapeOf(collection, name, extra)}`];
  if (!answer) throw new VaultError(404, 'NotFound', 'There is no such operation.');
  return answer(name ?? '', extra);
}

function shapeOf(collection: string, name: string | undefined, extra: string | undefined): string {
  if (name === undefined) return collection;
  if (extra === 'versions' || extra === 'recover') return `${collection}/name/${extra}`;
  return `${collection}/name`;
}

type Answer = (name: string, version: string | undefined) => unknown;

function answers(store: SecretStore, request: VaultRequest): Readonly<Record<string, Answer>> {
  const { origin, body } = request;
  const bundle = (at: SecretAt) => ({ value: at.version.value, ...versionItem(origin, at) });
  const deleted = (at: SecretAt) => ({ ...versionItem(origin, at), ...deletion(origin, at.secret) });
  const page = (items: readonly unknown[]) => pageOf(request, items);
  return {
    'PUT secrets/name': (name) => bundle(store.set(name, body)),
    'GET secrets/name': (name, version) => bundle(store.get(name, version)),
    'PATCH secrets/name': (name, version) => versionItem(origin, store.update(name, version, body)),
    'DELETE secrets/name': (name) => deleted(store.delete(name)),
    'GET secrets/name/versions': (name) =>
      page(store.versions(name).map((version) => item(`${origin}/secrets/${name}/${version.version}`, version))),
    'GET secrets': () => page(store.list('live').map((secret) => secretItem(origin, secret))),
    'GET deletedsecrets': () =>
      page(store.list('deleted').map((secret) => ({ ...secretItem(origin, secret), ...deletion(origin, secret) }))),
    'GET deletedsecrets/name': (name) => deleted(store.getDeleted(name)),
    'DELETE deletedsecrets/name': (name) => store.purge(name),
    'POST deletedsecrets/name/recover': (name) => versionItem(origin, store.recover(name)),
  };
}

function item(id: string, version: SecretVersion | undefined): Readonly<Record<string, unknown>> {
  if (!version) throw new Error('a secret has a version');
  const { contentType, tags, enabled, nbf, exp, created, updated } = version;
  return { id, contentType, tags, attributes: { enabled, nbf, exp, created, updated, ...recovery } };
}

function versionItem(origin: string, { secret, version }: SecretAt): Readonly<Record<string, unknown>> {
  return item(`${origin}/secrets/${secret.name}/${version.version}`, version);
}

function secretItem(origin: string, secret: StoredSecret): Readonly<Record<string, unknown>> {
  return item(`${origin}/secrets/${secret.name}`, secret.versions.at(-1));
}

function deletion(
  origin: string,
  { name, deletedDate, scheduledPurgeDate }: StoredSecret,
): Readonly<Record<string, unknown>> {
  return { recoveryId: `${origin}/deletedsecrets/${name}`, deletedDate, scheduledPurgeDate };
}

function pageOf({ url, origin }: VaultRequest, items: readonly unknown[]): unknown {
  const start = Number(url.searchParams.get('$skiptoken') ?? 0);
  const end = start + Number(url.searchParams.get('maxresults') ?? defaultPageSize);
  const next = new URLSearchParams(url.searchParams);
  next.set('$skiptoken', String(end));
  return {
    value: items.slice(start, end),
    nextLink: end < items.length ? `${origin}${url.pathname}?${next}` : null,
  };
}
