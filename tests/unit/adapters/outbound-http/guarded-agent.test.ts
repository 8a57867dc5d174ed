import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createGuardedAgent, RefusedAddressError } from '../../../../src/adapters/outbound-http/guarded-agent.ts';
import { listen, lookupOf } from './support.ts';

/** An agent without the URL policy in front of it, so that only the connector can refuse. */
function agentWith(...answers: readonly (readonly string[])[]) {
  const agent = createGuardedAgent({
    allowInsecureLoopback: false,
    connectTimeoutMs: 1000,
    totalTimeoutMs: 1000,
    maxHeaderBytes: 1024,
    lookup: lookupOf(...answers),
  });
  onTestFinished(() => agent.destroy());
  return agent;
}

test.each(['http', 'https'])('S-51 the connector refuses literal addresses by itself (%s)', async (scheme) => {
  const canary = createServer((socket) => socket.destroy());
  onTestFinished(() => void canary.close());
  const { port, connections } = await listen(canary);
  for (const host of ['127.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '169.254.169.254', '168.63.129.16']) {
    const answer = agentWith(['8.8.8.8']).request({ origin: `${scheme}://${host}:${port}`, path: '/', method: 'GET' });
    await expect(answer, host).rejects.toBeInstanceOf(RefusedAddressError);
  }
  expect(connections()).toBe(0);
});

test.each(['http', 'https'])('S-52 the connector refuses what a name resolves to (%s)', async (scheme) => {
  const canary = createServer((socket) => socket.destroy());
  onTestFinished(() => void canary.close());
  const { port, connections } = await listen(canary);
  for (const addresses of [['127.0.0.1'], ['8.8.8.8', '127.0.0.1'], ['::1'], []]) {
    const origin = `${scheme}://provider.example.com:${port}`;
    const answer = agentWith(addresses).request({ origin, path: '/', method: 'GET' });
    await expect(answer, addresses.join()).rejects.toBeInstanceOf(RefusedAddressError);
  }
  expect(connections()).toBe(0);
});
