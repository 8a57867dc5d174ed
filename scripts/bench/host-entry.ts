import { app, output } from '@azure/functions';
import { compose } from '../../src/composition.ts';
import { defineRoute } from '../../src/functions/http/route.ts';
import { serve } from '../../src/functions/http/serve.ts';
import { registerFunctions } from '../../src/functions/register.ts';
import { runHost } from '../../src/host/run-host.ts';
import { registrationSettings, settingsOfProcess } from '../../src/settings.ts';

const noop = defineRoute({
  name: 'bench-noop',
  method: 'GET',
  path: '/bench/noop',
  tag: 'Bench',
  summary: 'Nothing, for a caller who may read credentials',
  audit: 'none',
  permission: { kind: 'organisation', roles: ['reader'] },
  responses: { 200: { description: 'Nothing' } },
  handle: async () => ({ status: 200, json: { nothing: true } }),
});

/** The embedded host around the real functions, and one more that does nothing behind the same checks. */
await runHost(async () => {
  const composition = compose(settingsOfProcess(), () => {});
  const broker = () => composition.broker;
  const settings = registrationSettings();
  registerFunctions({ app, output }, { ...settings, broker, onStop: () => composition.broker.drain() });
  const queue = output.storageQueue({ queueName: settings.queueName, connection: 'OAuthStorage' });
  app.http(noop.name, {
    methods: ['GET'],
    route: 'bench/noop',
    authLevel: 'anonymous',
    handler: serve(noop, broker, queue),
  });
  return { settingsProblems: () => [], createTables: composition.createTables };
});
