// A picture of your camera each second; everybody's on one canvas.
const address = new URLSearchParams(location.search);
const venue = address.get('venue') ?? 'ws://127.0.0.1:7880/';
const room = address.get('room') ?? 'residence';
const me = `p5-${Math.random().toString(36).slice(2, 10)}`;

const WIDTH = 150;
const HEIGHT = 120;
const pictures = new Map(); // userId -> p5.Image

let camera;
let socket;

function setup() {
  createCanvas(4 * WIDTH, 3 * HEIGHT);
  camera = createCapture(VIDEO);
  camera.size(WIDTH, HEIGHT);
  camera.hide();
  socket = new WebSocket(venue);
  socket.onopen = () => setInterval(sendPicture, 1000);
  socket.onmessage = ({ data }) => hear(data);
}

function sendPicture() {
  const small = createGraphics(WIDTH, HEIGHT);
  small.image(camera, 0, 0, WIDTH, HEIGHT);
  const value = small.elt.toDataURL('image/jpeg', 0.6);
  small.remove();
  socket.send(JSON.stringify({ type: 'IMAGE', channel: room, userId: me, userName: 'p5', value }));
}

function hear(text) {
  const { type, channel, userId, value } = read(text);
  if (channel !== room) return;
  if (type === 'IMAGE') loadImage(value, (picture) => pictures.set(userId, picture));
  if (type === 'IMAGE_LEAVE') pictures.delete(userId);
}

// Others may send what is no JSON.
function read(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

function draw() {
  background(20);
  [...pictures.values()].slice(0, 12).forEach((picture, number) => {
    image(picture, (number % 4) * WIDTH, Math.floor(number / 4) * HEIGHT, WIDTH, HEIGHT);
  });
}
