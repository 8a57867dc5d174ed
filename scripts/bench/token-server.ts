import { createServer } from 'node:http';
import { closeServer, listenOnLoopback } from '../../src/host/services/loopback-server.ts';

/** The least a token endpoint can do: it answers every request with a token, so that the broker is what is measured. */
export async function startTokenServer(lifeSeconds: number) {
  let issued = 0;
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      issued += 1;
      const token = {
        access_token: `at-${issued}`,
        refresh_token: `rt-${issued}`,
        token_type: 'Bearer',
        expires_in: lifeSeconds,
      };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(token));
    });
  });
  const port = await listenOnLoopback(server, { name: 'token server', port: 0 });
  return { url: `http://127.0.0.1:${port}/token`, issued: () => issued, stop: () => closeServer(server) };
}
