import type { app, HttpMethod, output } from '@azure/functions';
import { type BrokerSource, serve } from './http/serve.ts';
import { routeTable } from './route-table.ts';
import { unknownRoute } from './routes/unknown-route.ts';
import { refreshBatch } from './triggers/refresh-batch.ts';
import { refreshPoison } from './triggers/refresh-poison.ts';
import { refreshReconcile } from './triggers/refresh-reconcile.ts';
import { refreshSweep } from './triggers/refresh-sweep.ts';

/** Azure's own objects, which only the entry imports. */
export interface AzureFunctions {
  readonly app: typeof app;
  readonly output: typeof output;
}

export interface Registration {
  readonly broker: BrokerSource;
  readonly refreshSchedule: string;
  readonly queueName: string;
  /** Runs when the host has loaded the app. */
  readonly onStart?: () => void;
  /** Runs when the host stops the process. */
  readonly onStop: () => Promise<void>;
}

/** The storage that queue bindings use, by the name of its setting. */
const storageConnection = 'OAuthStorage';
/** Every quarter of an hour, away from the full and the half hour at which sweeps begin. */
const reconcileSchedule = '0 7,22,37,52 * * * *';
const everyMethod: HttpMethod[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'];

/** Registers every function with Azure: the route table, the catch-all after it, the timers and the queues. */
export function registerFunctions({ app, output }: AzureFunctions, registration: Registration): void {
  const { broker, refreshSchedule, queueName, onStart, onStop } = registration;
  const queue = output.storageQueue({ queueName, connection: storageConnection });
  for (const route of routeTable) {
    app.http(route.name, {
      methods: [route.method],
      route: route.path.slice(1),
      authLevel: 'anonymous',
      ...(route.usesQueue === true && { extraOutputs: [queue] }),
      handler: serve(route, broker, queue),
    });
  }
  const unknown = unknownRoute(routeTable);
  app.http(unknown.name, {
    methods: everyMethod,
    route: unknown.path.slice(1),
    authLevel: 'anonymous',
    handler: serve(unknown, broker, queue),
  });
  app.timer('refreshSweep', {
    schedule: refreshSchedule,
    extraOutputs: [queue],
    handler: refreshSweep(broker, queue),
  });
  app.storageQueue('refreshBatch', {
    queueName,
    connection: storageConnection,
    extraOutputs: [queue],
    handler: refreshBatch(broker, queue),
  });
  app.storageQueue('refreshPoison', {
    queueName: `${queueName}-poison`,
    connection: storageConnection,
    handler: refreshPoison(broker),
  });
  app.timer('refreshReconcile', { schedule: reconcileSchedule, handler: refreshReconcile(broker) });
  if (onStart !== undefined) app.hook.appStart(onStart);
  app.hook.appTerminate(onStop);
}
