import {
  createHttpHeaders,
  type PipelinePolicy,
  type PipelineRequest,
  type PipelineResponse,
  RestError,
} from '@azure/core-rest-pipeline';

export type RequestMatch = (request: {
  readonly method: string;
  readonly url: string;
  readonly body: string;
}) => boolean;

interface Rule {
  readonly matches: RequestMatch;
  left: number;
  readonly apply: (request: PipelineRequest, forward: () => Promise<PipelineResponse>) => Promise<PipelineResponse>;
}

export interface TableFaults {
  readonly policy: PipelinePolicy;
  /** Every request that was made, tries by the SDK included. */
  readonly requests: readonly string[];
  /** Forwards, then loses the reply. A `reset` the SDK repeats by itself, a `timeout` it does not. */
  dropReply(matches: RequestMatch, times?: number, as?: 'reset' | 'timeout'): void;
  /** Answers in place of storage. */
  answer(matches: RequestMatch, status: number, times?: number, retryAfterSeconds?: number): void;
  /** Runs something between the request being sent and being applied. */
  before(matches: RequestMatch, action: () => Promise<unknown>): void;
  clear(): void;
}

/** Misbehaviour of storage as the SDK sees it, inside its own repetitions. */
export function createTableFaults(): TableFaults {
  let rules: Rule[] = [];
  const requests: string[] = [];
  const add = (matches: RequestMatch, left: number, apply: Rule['apply']) => void rules.push({ matches, left, apply });

  return {
    requests,
    policy: {
      name: 'tableFaults',
      async sendRequest(request, next) {
        const { method, url } = request;
        requests.push(`${method} ${url}`);
        const body = typeof request.body === 'string' ? request.body : '';
        const rule = rules.find(({ left, matches }) => left > 0 && matches({ method, url, body }));
        if (rule === undefined) return next(request);
        rule.left -= 1;
        return rule.apply(request, () => next(request));
      },
    },
    dropReply: (matches, times = 1, as = 'reset') =>
      add(matches, times, async (request, forward) => {
        await forward();
        throw lost(request, as);
      }),
    answer: (matches, status, times = 1, retryAfterSeconds) =>
      add(matches, times, async (request) => ({
        request,
        status,
        headers: createHttpHeaders(retryAfterSeconds === undefined ? {} : { 'retry-after': `${retryAfterSeconds}` }),
        bodyAsText: '',
      })),
    before: (matches, action) =>
      add(matches, 1, async (_request, forward) => {
        await action();
        return forward();
      }),
    clear: () => {
      rules = [];
    },
  };
}

/** Loses one reply in nine and refuses one request in nine, in a fixed order, but none twice in a row. */
export function createFlakyPolicy(): PipelinePolicy {
  let count = 0;
  const failed = new WeakSet<PipelineRequest>();
  return {
    name: 'flaky',
    async sendRequest(request, next) {
      count += 1;
      if (failed.has(request)) return next(request);
      if (count % 9 === 4 || count % 9 === 7) failed.add(request);
      if (count % 9 === 4) return { request, status: 503, headers: createHttpHeaders(), bodyAsText: '' };
      const response = await next(request);
      if (count % 9 === 7) throw lost(request, 'reset');
      return response;
    },
  };
}

export const isWrite: RequestMatch = ({ method }) => method !== 'GET';
export const isRead: RequestMatch = ({ method }) => method === 'GET';
export const isDelete: RequestMatch = ({ method }) => method === 'DELETE';
export const isClaim: RequestMatch = ({ method, body }) => method === 'PATCH' && /"lease_owner":"\w/.test(body);
export const isCommit: RequestMatch = ({ method, body }) =>
  method === 'PATCH' && /"committed_attempt":"\w.*/.test(body) && body.includes('"status"');

function lost(request: PipelineRequest, as: 'reset' | 'timeout'): Error {
  if (as === 'reset') return new RestError('socket hang up', { code: 'ECONNRESET', request });
  return Object.assign(new Error('The operation was aborted.'), { name: 'AbortError' });
}
