// What stands between a phone and the server: a NAT that suddenly gives another port, and a wire that is cut.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

const LOOPBACK = '127.0.0.1';

/** A UDP relay to `to`. `rebind()` makes the server see every client at another port from then on. */
export async function startNat(to) {
  const inside = createSocket('udp4');
  const mappings = new Map();
  const mapped = (client) => {
    const outside = createSocket('udp4').bind(0, LOOPBACK);
    outside.on('message', (bytes) => inside.send(bytes, client.port, client.address));
    return outside;
  };
  inside.on('message', (bytes, client) => {
    const key = `${client.address}:${client.port}`;
    if (!mappings.has(key)) mappings.set(key, mapped(client));
    mappings.get(key).send(bytes, to, LOOPBACK);
  });
  inside.bind(0, LOOPBACK);
  await once(inside, 'listening');
  const rebind = () => {
    const gone = [...mappings.values()];
    mappings.clear();
    for (const outside of gone) outside.close();
    return gone.length;
  };
  return { port: inside.address().port, rebind, stop: () => (rebind(), inside.close()) };
}

/** A TCP relay to `to`. `cut()` breaks all its connections without a word (RST). */
export async function startWire(to) {
  const pairs = new Set();
  const server = createServer((near) => {
    const far = connect(to, LOOPBACK);
    const pair = [near, far];
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      for (const socket of pair) socket.destroy();
    };
    for (const socket of pair) socket.on('error', end).on('close', end);
    near.pipe(far).pipe(near);
  });
  server.listen(0, LOOPBACK);
  await once(server, 'listening');
  const cut = () => {
    const cutNow = [...pairs];
    for (const pair of cutNow) for (const socket of pair) socket.resetAndDestroy();
    return cutNow.length;
  };
  return { port: server.address().port, cut, stop: () => (cut(), server.close()) };
}
