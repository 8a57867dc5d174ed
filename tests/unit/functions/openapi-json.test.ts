import { expect, it } from 'vitest';
import type { Route, RouteInput } from '../../../src/functions/http/route.ts';
import { health } from '../../../src/functions/routes/health.ts';
import { openApiJson } from '../../../src/functions/routes/openapi-json.ts';
import type { Broker } from '../../../src/usecases/broker.ts';

const broker = { policy: { publicBaseUrl: 'https://bowline.example' } } as Broker;

function start(routes: () => readonly Route[]) {
  const route = openApiJson(routes);
  return async () => (await route.handle(broker, {} as RouteInput<unknown, unknown, unknown> & never)).json;
}

it('the document is made once, for those who ask at once and for those who come later', async () => {
  let made = 0;
  const ask = start(() => {
    made += 1;
    return [health];
  });
  const [first, ...others] = await Promise.all([ask(), ask(), ask()]);
  expect(first).toMatchObject({ servers: [{ url: 'https://bowline.example/api' }] });
  for (const other of [...others, await ask()]) expect(other).toBe(first);
  expect(made).toBe(1);
});

it('a document that could not be made is tried again', async () => {
  let tries = 0;
  const broken = { ...health, path: undefined } as unknown as Route;
  const ask = start(() => {
    tries += 1;
    return tries === 1 ? [broken, { ...broken, responses: null } as unknown as Route] : [health];
  });
  await expect(ask()).rejects.toThrow();
  expect(await ask()).toMatchObject({ openapi: '3.1.0' });
});
