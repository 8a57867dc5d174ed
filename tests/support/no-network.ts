import dgram from 'node:dgram';
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';

/** Setup of the suites that need nothing from outside: whoever tries the network all the same is told so. */
function refuse(): never {
  throw new Error('The network is off in this test.');
}

net.Socket.prototype.connect = refuse;
net.Server.prototype.listen = refuse;
dgram.Socket.prototype.send = refuse;
dgram.Socket.prototype.bind = refuse;
dns.lookup = refuse as unknown as typeof dns.lookup;
dns.resolve = refuse as unknown as typeof dns.resolve;
dns.promises.lookup = refuse;
dns.promises.resolve = refuse;
syncBuiltinESMExports();
