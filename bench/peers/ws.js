// Node's `ws`: what one socket says goes to all, as it came.
import { WebSocketServer } from 'ws';

const server = new WebSocketServer({ host: '127.0.0.1', port: Number(process.argv[2]), perMessageDeflate: false });
server.on('connection', (socket) => {
  socket.on('error', () => {});
  socket.on('message', (data, isBinary) => {
    for (const other of server.clients) {
      if (other.readyState === 1) other.send(data, { binary: isBinary });
    }
  });
});
setTimeout(() => process.exit(0), 600_000);
