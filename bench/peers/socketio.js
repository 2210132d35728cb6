// Node's `socket.io`: what one socket says goes to all.
import { createServer } from 'node:http';
import { Server } from 'socket.io';

const http = createServer();
const io = new Server(http, { serveClient: false, perMessageDeflate: false });
io.on('connection', (socket) => socket.on('message', (value) => io.emit('message', value)));
http.listen(Number(process.argv[2]), '127.0.0.1');
setTimeout(() => process.exit(0), 600_000);
