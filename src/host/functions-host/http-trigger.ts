import type { IncomingMessage } from 'node:http';
import { HttpRefusal, readBody, requestUrl, toRpcRequest, writeAnswer, writeBare } from './http-conversion.ts';
import { decodePath, type HttpRoute, matchRoute } from './http-routes.ts';
import type { HttpListener, RequestHandler } from './http-server.ts';
import type { InvocationInput, Invoker } from './invocation.ts';
import { holdsKey } from './master-key.ts';

/** The host's own cap: the real host allows 100 MB, and nothing of Bowline needs more than this. */
export const maxBodyBytes = 4 * 1024 * 1024;

export interface HttpTriggerOptions {
  readonly routes: readonly HttpRoute[];
  readonly invoker: Invoker;
  readonly listener: HttpListener;
  readonly masterKey: string;
  /** Answers what lies under `/admin`. */
  readonly admin: (path: string, ...exchange: Parameters<RequestHandler>) => Promise<void>;
}

/** Serves the app's HTTP functions. */
export function createHttpTrigger(options: HttpTriggerOptions): RequestHandler {
  const fallbackHost = new URL(options.listener.url).host;
  return async (request, response) => {
    const url = requestUrl(request, fallbackHost);
    const path = decodePath(url.pathname);
    if (path === undefined) {
      throw new HttpRefusal(400);
    }
    if (/^\/admin(\/|$)/i.test(path)) {
      return options.admin(path, request, response);
    }
    const match = matchRoute(options.routes, request.method ?? '', path);
    if (match === undefined) {
      throw new HttpRefusal(404);
    }
    if (match.route.needsKey && !holdsKey(request, options.masterKey)) {
      throw new HttpRefusal(401);
    }
    const body = await readBody(request, maxBodyBytes);
    const { target } = match.route;
    const answer = await failureAsUndefined(
      options.invoker.invoke(target.registered, {
        bindingName: target.triggerBinding,
        data: toRpcRequest({ request, url, params: match.params, body }),
        ...traceContext(request),
      }),
    );
    const close = options.listener.draining();
    if (answer === undefined) {
      return writeBare(response, 500, close);
    }
    writeAnswer(response, answer.returnValue?.http, { close, headOnly: request.method === 'HEAD' });
  };
}

/** The invoker has logged the failure already; to the client it is a bare 500. */
async function failureAsUndefined<T>(invocation: Promise<T>): Promise<T | undefined> {
  try {
    return await invocation;
  } catch {
    return undefined;
  }
}

function traceContext(request: IncomingMessage): Pick<InvocationInput, 'traceContext'> {
  const { traceparent, tracestate } = request.headers;
  if (typeof traceparent !== 'string') {
    return {};
  }
  return { traceContext: { traceParent: traceparent, traceState: String(tracestate ?? ''), attributes: {} } };
}
