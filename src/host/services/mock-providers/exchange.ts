import type { KeyObject } from 'node:crypto';
import type { Provider } from '../../../domain/provider.ts';
import type { Failure, StandIn } from '../../../providers/stand-ins/stand-in.ts';
import type { MockState } from './mock-state.ts';

/** The one client that every stand-in knows. */
export interface MockClient {
  readonly id: string;
  readonly secret: string;
  /** Whose private half signs assertions. */
  readonly publicKey: KeyObject;
}

/** What all endpoints share. */
export interface MockServer {
  readonly baseUrl: () => string;
  readonly now: () => number;
  readonly client: MockClient;
  readonly state: MockState;
  /** Signs ID tokens. */
  readonly signingKey: KeyObject;
  readonly accessTokenLifeSeconds: number;
  /** What every redirect URI starts with; null while it is not known. */
  readonly callbackPrefix: () => string | null;
}

/** One request to one stand-in. */
export interface Exchange {
  readonly server: MockServer;
  readonly entry: Provider;
  readonly standIn: StandIn;
  readonly method: string;
  readonly url: URL;
  /** What stands in the path after the endpoint. */
  readonly rest: readonly string[];
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A request that the provider would turn down. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly failure: Failure;

  /** `detail` is for whoever develops: it travels in a header of its own. */
  constructor(failure: Failure, detail: string) {
    super(detail);
    this.failure = failure;
  }
}
