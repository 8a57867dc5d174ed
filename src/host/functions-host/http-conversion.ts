import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RpcHttpCookie, RpcHttpData, RpcNullable, RpcTypedData } from './core-types.ts';

/** An answer that the host gives itself, without the app. */
export class HttpRefusal extends Error {
  override readonly name = 'HttpRefusal';
  readonly status: number;

  constructor(status: number) {
    super(`refused with ${status}`);
    this.status = status;
  }
}

const hostPattern = /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i;

// The host decides these itself for the connection at hand.
const connectionHeaders = ['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'upgrade', 'trailer'];

/** The absolute URL of a request. Throws `HttpRefusal` 400 for a host or a target that makes no URL. */
export function requestUrl(request: IncomingMessage, fallbackHost: string): URL {
  const hosts = request.headersDistinct.host ?? [fallbackHost];
  const host = hosts[0];
  const target = request.url ?? '';
  if (hosts.length > 1 || host === undefined || !hostPattern.test(host) || !target.startsWith('/')) {
    throw new HttpRefusal(400);
  }
  const text = `http://${host}${target}`;
  if (!URL.canParse(text)) {
    throw new HttpRefusal(400);
  }
  return new URL(text);
}

/**
 * A request's body where it has a Content-Length above 0. A chunked body comes out as none: the real host copies only
 * bodies of known length. Throws `HttpRefusal` 413 above `limitBytes`, before anything is read.
 */
export async function readBody(request: IncomingMessage, limitBytes: number): Promise<Buffer | undefined> {
  const length = Number(request.headers['content-length'] ?? 0);
  if (length > limitBytes) {
    throw new HttpRefusal(413);
  }
  if (!(length > 0)) {
    return undefined;
  }
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export interface HttpTriggerInput {
  readonly request: IncomingMessage;
  readonly url: URL;
  readonly params: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
}

/** A request in the form in which the real host hands it to the worker: repeated query values and headers joined by `,`. */
export function toRpcRequest({ request, url, params, body }: HttpTriggerInput): RpcTypedData {
  return {
    http: {
      method: request.method ?? 'GET',
      url: url.href,
      nullableHeaders: joined(headerPairs(request)),
      nullableQuery: joined(url.searchParams),
      nullableParams: joined(Object.entries(params)),
      ...(body === undefined ? {} : { body: { bytes: body } }),
    },
  };
}

export interface HttpAnswerOptions {
  /** Closes the connection after this answer. */
  readonly close: boolean;
  /** HEAD: headers as for the whole answer, and no body. */
  readonly headOnly: boolean;
}

/** Writes what a function answered; nothing at all is 204, as in the real host. */
export function writeAnswer(
  response: ServerResponse,
  answer: RpcHttpData | undefined,
  { close, headOnly }: HttpAnswerOptions,
): void {
  const status = answer === undefined ? 204 : Number(answer.statusCode);
  const body = bodyBytes(answer?.body);
  response.statusCode = status;
  for (const [name, value] of Object.entries(answer?.headers ?? {})) {
    if (!connectionHeaders.includes(name)) {
      response.setHeader(name, value);
    }
  }
  for (const cookie of answer?.cookies ?? []) {
    response.appendHeader('set-cookie', cookieText(cookie));
  }
  if (close) {
    response.setHeader('connection', 'close');
  }
  if (![204, 205, 304].includes(status)) {
    response.setHeader('content-length', body.length);
  }
  response.end(headOnly ? undefined : body);
}

/** Writes a bare status: what the host itself refuses or fails carries no body. */
export function writeBare(response: ServerResponse, status: number, close: boolean): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  for (const name of response.getHeaderNames()) {
    response.removeHeader(name);
  }
  writeAnswer(response, { statusCode: String(status) }, { close, headOnly: false });
}

function* headerPairs(request: IncomingMessage): Iterable<readonly [string, string]> {
  for (const [name, values] of Object.entries(request.headersDistinct)) {
    if (name === 'cookie') {
      yield [name, (values ?? []).join('; ')];
    } else {
      for (const value of values ?? []) {
        yield [name, value];
      }
    }
  }
  // As Azure's front end does: whoever calls cannot choose what comes last.
  const { remoteAddress } = request.socket;
  if (remoteAddress !== undefined) yield ['x-forwarded-for', remoteAddress.replace(/^::ffff:(?=[\d.]+$)/, '')];
}

function joined(pairs: Iterable<readonly [string, string]>): Record<string, RpcNullable<string>> {
  const values = new Map<string, string>();
  for (const [name, value] of pairs) {
    const earlier = values.get(name);
    values.set(name, earlier === undefined ? value : `${earlier},${value}`);
  }
  return Object.fromEntries([...values].map(([name, value]) => [name, { value }]));
}

function bodyBytes(body: RpcTypedData | null | undefined): Buffer {
  if (body?.bytes !== undefined) {
    return Buffer.from(body.bytes);
  }
  return Buffer.from(body?.string ?? body?.json ?? '');
}

/** RFC 6265 section 4.1, with the defaults of the real host: the value escaped, `Path=/` where none is given. */
function cookieText(cookie: RpcHttpCookie): string {
  const expires = cookie.expires?.value?.seconds;
  const sameSite = { lax: 'Lax', strict: 'Strict', explicitNone: 'None', none: undefined }[cookie.sameSite ?? 'none'];
  const parts = [
    `${escapeCookie(cookie.name)}=${escapeCookie(cookie.value)}`,
    expires === undefined ? undefined : `Expires=${new Date(expires * 1000).toUTCString()}`,
    cookie.maxAge?.value === undefined ? undefined : `Max-Age=${Math.trunc(cookie.maxAge.value)}`,
    cookie.domain?.value ? `Domain=${cookie.domain.value}` : undefined,
    `Path=${cookie.path?.value ?? '/'}`,
    cookie.secure?.value ? 'Secure' : undefined,
    sameSite === undefined ? undefined : `SameSite=${sameSite}`,
    cookie.httpOnly?.value ? 'HttpOnly' : undefined,
  ];
  return parts.filter((part) => part !== undefined).join('; ');
}

function escapeCookie(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}
