import { hashOfToken } from '../../support/authorization-server.ts';
import type { History } from './history.ts';
import type { ProxiedAnswer, ProxiedRequest, RecordingProxy } from './recording-proxy.ts';
import { isRefresh } from './requests.ts';

/** One refresh request as the provider's side saw it. Times are the history's. */
export interface RefreshCall {
  readonly account: string;
  readonly tokenHash: string;
  readonly receivedAt: number;
  /** Null until the provider has answered: it may never have seen the request. */
  answeredAt: number | null;
  /** Null while it is under way. */
  endedAt: number | null;
  /** The provider's own answer. */
  status: number | null;
  /** Hash of the refresh token that is valid after it. */
  nextHash: string | null;
}

/** Whose each token is, and what was asked of the provider for each account. It keeps hashes of refresh tokens only. */
export interface Ledger {
  readonly calls: readonly RefreshCall[];
  callsOf(account: string): readonly RefreshCall[];
  /** A refresh token that was given to an account past the broker. */
  given(refreshToken: string, account: string): void;
  /** Whose an access token is, or undefined where the provider has issued none such. */
  ownerOf(accessToken: string): string | undefined;
  /** Every access token that was issued to anybody. */
  accessTokens(): ReadonlyMap<string, string>;
  /** The hash of the newest refresh token of an account. */
  newestOf(account: string): string | undefined;
  /** Forgets calls, not tokens. */
  reset(): void;
}

export function createLedger(proxy: RecordingProxy, history: History): Ledger {
  const owners = new Map<string, string>();
  const newest = new Map<string, string>();
  const accessTokens = new Map<string, string>();
  const open = new Map<number, RefreshCall>();
  let calls: RefreshCall[] = [];

  proxy.observe({
    received(request) {
      if (!isRefresh(request)) return;
      const tokenHash = hashOfToken(new URLSearchParams(request.body).get('refresh_token') ?? '');
      const account = owners.get(tokenHash) ?? 'nobody';
      const call: RefreshCall = {
        account,
        tokenHash,
        receivedAt: history.now(),
        answeredAt: null,
        endedAt: null,
        status: null,
        nextHash: null,
      };
      open.set(request.id, call);
      calls.push(call);
    },
    answered(request, answer) {
      const call = open.get(request.id);
      if (call === undefined) return;
      call.answeredAt = history.now();
      call.status = answer.status;
      const issued = issuedBy(answer);
      if (issued?.access_token !== undefined) accessTokens.set(issued.access_token, call.account);
      if (issued !== undefined) {
        call.nextHash = issued.refresh_token === undefined ? call.tokenHash : hashOfToken(issued.refresh_token);
        owners.set(call.nextHash, call.account);
        newest.set(call.account, call.nextHash);
      }
      const { account, tokenHash, status, nextHash } = call;
      history.note(proxy.name, 'refresh', {
        id: request.id,
        account,
        token: short(tokenHash),
        status,
        next: short(nextHash),
      });
    },
    ended(request: ProxiedRequest) {
      const call = open.get(request.id);
      if (call !== undefined) call.endedAt = history.now();
    },
  });

  return {
    get calls() {
      return calls;
    },
    callsOf: (account) => calls.filter((call) => call.account === account),
    given: (refreshToken, account) => {
      const tokenHash = hashOfToken(refreshToken);
      owners.set(tokenHash, account);
      newest.set(account, tokenHash);
    },
    ownerOf: (accessToken) => accessTokens.get(accessToken),
    accessTokens: () => accessTokens,
    newestOf: (account) => newest.get(account),
    reset: () => {
      calls = [];
    },
  };
}

function issuedBy({ status, body }: ProxiedAnswer): { access_token?: string; refresh_token?: string } | undefined {
  return status === 200 ? JSON.parse(body.toString()) : undefined;
}

function short(hash: string | null): string | null {
  return hash === null ? null : hash.slice(0, 12);
}
