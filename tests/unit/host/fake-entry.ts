import { setTimeout as delay } from 'node:timers/promises';
import { app } from '@azure/functions';
import { runHost } from '../../../src/host/run-host.ts';

/** The embedded host around an app of two functions, as a process for the tests. */
await runHost(async () => {
  app.http('ping', { route: 'ping', authLevel: 'anonymous', handler: () => ({ body: 'pong' }) });
  app.http('slow', {
    route: 'slow',
    authLevel: 'anonymous',
    handler: async (request) => {
      process.stdout.write('slow began\n');
      await delay(Number(request.query.get('ms')));
      return { body: 'done' };
    },
  });
  return { settingsProblems: () => [] };
});
