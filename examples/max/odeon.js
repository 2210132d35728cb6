// Node for Max: numbers from the patch go into the room, numbers from the room come out of the patch.
const max = require('max-api');
const { WebSocket } = require('ws');

const [venue = 'ws://127.0.0.1:7880/', room = 'residence'] = process.argv.slice(2);
const me = `max-${process.pid}`;
let socket;

function connect() {
  socket = new WebSocket(venue);
  socket.on('open', () => max.outlet('connected', 1));
  socket.on('message', (data) => hear(data.toString()));
  socket.on('error', (error) => max.post(`no way to ${venue}: ${error.message}`));
  socket.on('close', () => {
    max.outlet('connected', 0);
    setTimeout(connect, 1000);
  });
}

function hear(text) {
  let message = {};
  try {
    message = JSON.parse(text) ?? {};
  } catch {} // others may send what is no JSON
  if (message.channel !== room || message.type !== 'DIAL') return;
  max.outlet('dial', Number(message.value) || 0);
}

max.addHandler('dial', (value) => {
  if (socket.readyState !== WebSocket.OPEN) return;
  socket.send(JSON.stringify({ type: 'DIAL', channel: room, userId: me, userName: 'Max', value }));
});

connect();
