import type { Match, ProxiedRequest } from './recording-proxy.ts';

/** What a write of a grant's row is, by the columns that it sets. */
type GrantWrite = 'claim' | 'commit' | 'failure' | 'release';

function grantWriteOf({ method, path, body }: ProxiedRequest): GrantWrite | undefined {
  if (method !== 'PATCH' || !/\/OAuth(Connections|UserGrants)\(/.test(path)) return undefined;
  if (/"lease_owner":"[^"]/.test(body)) return 'claim';
  if (!body.includes('"lease_owner":""')) return undefined;
  if (/"seq":/.test(body)) return 'commit';
  return /"(failure|status)":/.test(body) ? 'failure' : 'release';
}

const writes =
  (kind: GrantWrite): Match =>
  (request) =>
    grantWriteOf(request) === kind;

export const isClaim = writes('claim');
/** A commit of new tokens. */
export const isCommit = writes('commit');
const isOfDueIndex: Match = ({ path }) => path.includes('/OAuthRefreshDue');
export const isDueInsert: Match = (request) => request.method === 'POST' && isOfDueIndex(request);
export const isDueRemoval: Match = (request) => request.method === 'DELETE' && isOfDueIndex(request);
export const isToken: Match = ({ method, path }) => method === 'POST' && path === '/token';
export const isRefresh: Match = (request) => isToken(request) && request.body.includes('grant_type=refresh_token');
export const isAny: Match = () => true;

/** Whether a request is about the row of one of these connections. */
export function concerns(connections: readonly string[]): Match {
  const names = new Set(connections);
  return ({ path }) => {
    const [, partition = '', row = ''] = /PartitionKey='([^']*)',RowKey='([^']*)'/.exec(decodeURIComponent(path)) ?? [];
    return names.has(row) || names.has(partition.split('|').at(-1) ?? '');
  };
}

export const both =
  (...matches: readonly Match[]): Match =>
  (request) =>
    matches.every((match) => match(request));

/** For the history: what a request to the tables does to a grant. */
export function describeTableRequest(request: ProxiedRequest): Readonly<Record<string, unknown>> {
  const grant = grantWriteOf(request);
  return grant === undefined ? {} : { grant };
}

/** Matches one request: the nth that `matches` does. */
export function nth(matches: Match, count: number): Match {
  let left = count;
  return (request) => {
    if (!matches(request)) return false;
    left -= 1;
    return left === 0;
  };
}
