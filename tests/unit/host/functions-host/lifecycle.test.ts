import { setTimeout as sleep } from 'node:timers/promises';
import { app } from '@azure/functions';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { startTestHost, type TestHost, testMasterKey } from '../../../support/functions-host-fixture.ts';

const hosts: TestHost[] = [];
afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.stop()));
});
async function startHost(...args: Parameters<typeof startTestHost>): Promise<TestHost> {
  const host = await startTestHost(...args);
  hosts.push(host);
  return host;
}

/** A promise that the test settles, for a handler to wait on. */
function gate() {
  return Promise.withResolvers<void>();
}

const hello = () => app.http('hello', { handler: () => ({ body: 'hello' }) });

describe('start', () => {
  it('tells the app its address, which listens already and answers 503 until the app is loaded', async () => {
    let early: Response | undefined;
    const host = await startHost(async (baseUrl) => {
      expect(baseUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
      early = await fetch(`${baseUrl}/api/hello`);
      hello();
    });
    expect(early?.status).toBe(503);
    expect((await host.get('/api/hello')).status).toBe(200);
  });

  it('rejects with EADDRINUSE when the port is taken', async () => {
    const first = await startHost(hello);
    const port = Number(new URL(first.url).port);
    await expect(startTestHost(hello, { port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('rejects with what the app throws, and leaves the port free', async () => {
    let url = '';
    const broken = startTestHost((baseUrl) => {
      url = baseUrl;
      hello();
      throw new Error('bad setting');
    });
    await expect(broken).rejects.toThrow('bad setting');
    await expect(fetch(url)).rejects.toThrow();
    const again = await startHost(hello, { port: Number(new URL(url).port) });
    expect(again.url).toBe(url);
  });

  it('rejects when the app registers no functions', async () => {
    await expect(startTestHost(() => {})).rejects.toThrow('The app registered no functions.');
  });

  it.each([
    ['a trigger', () => app.storageBlob('blob', { path: 'x', connection: 'y', handler: () => {} }), 'blobTrigger'],
    ['a route', () => app.http('odd', { route: 'a{b}c', handler: () => ({}) }), 'a part that this host cannot read'],
    ['a rooted route', () => app.http('odd', { route: '/x', handler: () => ({}) }), 'begins with "/"'],
    ['a name', () => app.http('1 odd', { handler: () => ({}) }), 'is not a name for a function'],
  ])('rejects %s that it cannot run', async (_, register, reason) => {
    await expect(startTestHost(register)).rejects.toThrow(reason);
  });

  it('runs the appStart hooks, and rejects when one throws', async () => {
    const started = vi.fn();
    await startHost(() => {
      app.hook.appStart(started);
      hello();
    });
    expect(started).toHaveBeenCalledTimes(1);
    const refused = startTestHost(() => {
      app.hook.appStart(() => Promise.reject(new Error('not today')));
      hello();
    });
    await expect(refused).rejects.toThrow('not today');
  });
});

describe('invocation hooks', () => {
  it('see and change inputs, handler, result and error, in the order of the real worker', async () => {
    const order: string[] = [];
    const host = await startHost(() => {
      app.hook.preInvocation((context) => {
        order.push('pre');
        context.hookData.seen = 'yes';
        const handler = context.functionHandler;
        context.functionHandler = (...args) => {
          order.push('wrapped');
          return handler(...args);
        };
      });
      app.hook.postInvocation((context) => {
        order.push(`post ${context.hookData.seen} ${(context.error as Error | null)?.message}`);
        if (context.error !== null) {
          context.error = null;
          context.result = { status: 418 };
        }
      });
      hello();
      app.http('fails', { handler: () => Promise.reject(new Error('no')) });
    });
    expect(await (await host.get('/api/hello')).text()).toBe('hello');
    expect((await host.get('/api/fails')).status).toBe(418);
    expect(order).toEqual(['pre', 'wrapped', 'post yes undefined', 'pre', 'wrapped', 'post yes no']);
  });

  it('have the log lines of the app pass through log hooks', async () => {
    const host = await startHost(() => {
      app.hook.log((context) => {
        context.message = context.message.replace('token', '***');
      });
      app.http('talks', {
        handler: (_, context) => {
          context.warn('a token for %s', 'you');
          return {};
        },
      });
    });
    await host.get('/api/talks');
    expect(host.lines).toEqual([
      {
        level: 'warn',
        message: 'a *** for you',
        fields: { function: 'talks', invocationId: expect.any(String), category: 'user' },
      },
    ]);
  });
});

describe('stop', () => {
  it('lets a request in flight finish, after the appTerminate hooks, and refuses new connections', async () => {
    const order: string[] = [];
    const entered = gate();
    const release = gate();
    const host = await startHost(() => {
      app.hook.appTerminate(async () => {
        await expect(fetch(`${host.url}/api/slow`)).rejects.toThrow();
        order.push('terminated');
        release.resolve();
      });
      app.http('slow', {
        handler: async () => {
          entered.resolve();
          await release.promise;
          order.push('answered');
          return { body: 'done' };
        },
      });
    });
    const answer = host.get('/api/slow');
    await entered.promise;
    await host.stop();
    const finished = await answer;
    expect(await finished.text()).toBe('done');
    expect(finished.headers.get('connection')).toBe('close');
    expect(order).toEqual(['terminated', 'answered']);
  });

  it('waits for a timer run in flight', async () => {
    const entered = gate();
    const release = gate();
    let finished = false;
    const host = await startHost(() =>
      app.timer('sweep', {
        schedule: '0 0 0 1 1 *',
        handler: async () => {
          entered.resolve();
          await release.promise;
          finished = true;
        },
      }),
    );
    const run = host.runTimer('sweep');
    await entered.promise;
    const stopped = host.stop();
    const early = await Promise.race([stopped.then(() => 'stopped'), sleep(150, 'still waiting')]);
    expect(early).toBe('still waiting');
    release.resolve();
    await stopped;
    expect(finished).toBe(true);
    await run;
  });

  it('ends within the drain time what does not finish, and says so', async () => {
    const entered = gate();
    const host = await startHost(
      () =>
        app.http('hangs', {
          handler: () => {
            entered.resolve();
            return new Promise(() => {});
          },
        }),
      { drainMs: 50 },
    );
    const answer = expect(host.get('/api/hangs')).rejects.toThrow();
    await entered.promise;
    await Promise.all([host.stop(), host.stop()]);
    await answer;
    expect(host.lines).toContainEqual(
      expect.objectContaining({ level: 'warn', message: 'The host stopped with work in flight' }),
    );
  });

  it('waits for the appTerminate hooks, with nothing else in flight', async () => {
    const finished = vi.fn();
    const host = await startHost(() => {
      app.hook.appTerminate(() => sleep(50).then(finished));
      hello();
    });
    await host.stop();
    expect(finished).toHaveBeenCalledTimes(1);
  });

  it('is not held up by a failing appTerminate hook', async () => {
    const host = await startHost(() => {
      app.hook.appTerminate(() => Promise.reject(new Error('stuck')));
      hello();
    });
    await host.get('/api/hello');
    await host.stop();
    expect(host.lines).toContainEqual(expect.objectContaining({ message: 'An appTerminate hook failed' }));
  });
});

describe('/admin', () => {
  const key = { 'x-functions-key': testMasterKey };
  const post = (body?: string): RequestInit => ({
    method: 'POST',
    headers: key,
    ...(body === undefined ? {} : { body }),
  });

  it('needs the master key everywhere', async () => {
    const host = await startHost(hello);
    for (const path of ['/admin', '/admin/functions', '/admin/functions/hello', '/admin/host/status', '/Admin/x']) {
      expect((await host.get(path)).status, path).toBe(401);
      expect((await host.get(path, { headers: { 'x-functions-key': 'wrong' } })).status, path).toBe(401);
    }
  });

  it('lists the functions and tells the state', async () => {
    const host = await startHost(hello);
    const list = await (await host.get('/admin/functions', { headers: key })).json();
    expect(list).toMatchObject([{ name: 'hello', config: { bindings: [{ type: 'httpTrigger' }, { type: 'http' }] } }]);
    expect(await (await host.get('/admin/functions/hello', { headers: key })).json()).toMatchObject({ name: 'hello' });
    expect(await (await host.get('/admin/host/status', { headers: key })).json()).toMatchObject({ state: 'Running' });
    expect((await host.get('/admin/host/other', { headers: key })).status).toBe(404);
  });

  it('answers 202 before the timer run that it begins has ended', async () => {
    const release = gate();
    const finished = vi.fn();
    const host = await startHost(() =>
      app.timer('sweep', { schedule: '0 0 0 1 1 *', handler: () => release.promise.then(finished) }),
    );
    expect((await host.get('/admin/functions/Sweep', post('{}'))).status).toBe(202);
    expect(finished).not.toHaveBeenCalled();
    release.resolve();
    await vi.waitFor(() => expect(finished).toHaveBeenCalledTimes(1));
  });

  it('runs a queue function with the input given', async () => {
    const seen: unknown[] = [];
    const queue = { receiveMessages: async () => ({ receivedMessageItems: [] }) };
    const host = await startHost(
      () => app.storageQueue('work', { queueName: 'q', connection: 'S', handler: (entry) => void seen.push(entry) }),
      { openQueue: () => queue as never },
    );
    expect((await host.get('/admin/functions/work', post('{ "input": "{\\"n\\":1}" }'))).status).toBe(202);
    await vi.waitFor(() => expect(seen).toEqual([{ n: 1 }]));
  });

  it('answers 404 for an unknown name, 400 for a body that it cannot read and for an HTTP function', async () => {
    const host = await startHost(() => {
      hello();
      app.timer('sweep', { schedule: '0 0 0 1 1 *', handler: () => {} });
    });
    expect((await host.get('/admin/functions/unknown', post())).status).toBe(404);
    expect((await host.get('/admin/functions/sweep', post('{'))).status).toBe(400);
    expect((await host.get('/admin/functions/sweep', post('{ "input": 1 }'))).status).toBe(400);
    expect((await host.get('/admin/functions/hello', post())).status).toBe(400);
    expect((await host.get('/admin/functions/sweep/x', post())).status).toBe(404);
  });
});
