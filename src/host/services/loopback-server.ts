import { once } from 'node:events';
import type { Server } from 'node:http';
import { StartFailure } from '../start-failure.ts';

/** The only address that the embedded services listen on. */
export const loopbackHost = '127.0.0.1';

/** What is to listen, for people, and where: 0 for any free port. */
export interface LoopbackListener {
  readonly name: string;
  readonly port: number;
}

/** The one line about a port that somebody else has. */
export function portTaken({ name, port }: LoopbackListener): StartFailure {
  return new StartFailure(
    `Port ${port} on ${loopbackHost}, which the ${name} needs, is taken. Stop what is listening there and start again.`,
  );
}

/**
 * Makes a server listen on 127.0.0.1. Resolves to its port.
 * Throws `StartFailure` that names the port when it is taken or not permitted.
 */
export async function listenOnLoopback(server: Server, listener: LoopbackListener): Promise<number> {
  server.listen(listener.port, loopbackHost);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw listenFailure(error, listener);
  }
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has an address with a port');
  return address.port;
}

/** The clear form of an error of `listen`; any other error as it is. */
export function listenFailure(error: unknown, listener: LoopbackListener): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') return portTaken(listener);
  if (code === 'EACCES') return new StartFailure(`The ${listener.name} may not listen on port ${listener.port}.`);
  return error;
}

/** Stops a server at once, open connections included. */
export async function closeServer(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
