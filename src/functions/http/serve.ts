import type { HttpRequest, HttpResponseInit, InvocationContext, StorageQueueOutput } from '@azure/functions';
import { anonymousActor, noSubject } from '../../domain/audit.ts';
import { BrokerError } from '../../domain/errors.ts';
import type { Work } from '../../ports/work-context.ts';
import type { Broker } from '../../usecases/broker.ts';
import { audited, factsOf } from './audited.ts';
import { authorize } from './authorize.ts';
import { clientAddress, networkOf } from './client-address.ts';
import { answerError } from './errors.ts';
import { assertDeliverable, readRequest } from './read-request.ts';
import type { Answer, Route } from './route.ts';
import { securityHeaders } from './security-headers.ts';

/** Gives the broker, or throws `misconfigured` when the settings are faulty. */
export type BrokerSource = () => Broker;

/** Makes the handler of a route as Azure calls it: check, call the use case, present. It never throws. */
export function serve(route: Route, broker: BrokerSource, queue: StorageQueueOutput) {
  return async (request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> => {
    const correlationId = correlationIdOf(request, context);
    const answer = await answerTo(route, broker, request, correlationId);
    if (answer.queue !== undefined) context.extraOutputs.set(queue, answer.queue);
    return present(answer, correlationId);
  };
}

async function answerTo(
  route: Route,
  source: BrokerSource,
  request: HttpRequest,
  correlationId: string,
): Promise<Answer> {
  try {
    const broker = source();
    return await broker.context.within(workOf(route, request, correlationId), async () => {
      try {
        return await audited(route, broker, () => handle(route, broker, request));
      } catch (error) {
        logFailure(broker, error);
        throw error;
      }
    });
  } catch (error) {
    return answerError(error, { correlationId, isPage: route.isPage === true });
  }
}

async function handle(route: Route, broker: Broker, request: HttpRequest): Promise<Answer> {
  assertDeliverable(request);
  const identity = await authorize(route, broker, request);
  const input = await readRequest(route, request);
  broker.audit.about(factsOf(input));
  return route.handle(broker, { ...input, ...identity });
}

/** What is known of a call before anything of it was looked at. */
function workOf(route: Route, request: HttpRequest, correlationId: string): Work {
  const unknown = { ...noSubject, actor: anonymousActor, detail: {}, outcome: null, isSingular: false };
  const address = clientAddress(request);
  const facts = { ...unknown, correlationId, address: address ?? null, network: networkOf(address) };
  return { fields: { correlation_id: correlationId, route: route.name }, call: { facts } };
}

function logFailure({ logger }: Broker, error: unknown): void {
  if (!(error instanceof BrokerError)) {
    logger.error('request_crashed', { cause: error });
    return;
  }
  const { code, message, detail, cause } = error;
  const isOurs = code === 'internal_error' || code.endsWith('_unavailable');
  logger[isOurs ? 'warn' : 'info']('request_refused', { code, message, detail, cause });
}

function present(answer: Answer, correlationId: string): HttpResponseInit {
  const { status, json, html, headers, cookies } = answer;
  const type = html === undefined ? 'application/json; charset=utf-8' : 'text/html; charset=utf-8';
  const body = html ?? (json === undefined ? undefined : JSON.stringify(json));
  return {
    status,
    headers: {
      ...securityHeaders,
      ...(body !== undefined && { 'content-type': type }),
      'x-correlation-id': correlationId,
      ...headers,
    },
    ...(cookies && { cookies: [...cookies] }),
    ...(body !== undefined && { body }),
  };
}

/** A caller's own correlation id is kept where it is harmless. */
function correlationIdOf(request: HttpRequest, context: InvocationContext): string {
  const given = request.headers.get('x-correlation-id') ?? '';
  return /^[A-Za-z0-9._-]{8,64}$/.test(given) ? given : context.invocationId;
}
