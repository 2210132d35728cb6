// A server of a test file's own: started on loopback, ended by its process id.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdirSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const START_MS = 20_000;
const STOP_MS = 10_000;

/** A free TCP port: drawn and given back. Another process might take it meanwhile; then the start fails loudly. */
export async function freePort() {
  const socket = createServer().listen(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

/** A key as `odeon serve` takes it, where rooms are not all open as they are in `--dev`. */
export const VENUE = { key: 'venuekey', secret: 'a-secret-of-thirty-two-bytes-or-more' };

/** The server of `odeon serve` with the key above, on loopback. */
export function startVenue(settings = {}) {
  const loopback = { 'http.bind': '127.0.0.1', 'rtc.bind': '127.0.0.1', keys: `${VENUE.key}: ${VENUE.secret}` };
  return startServer({ ...loopback, ...settings }, 'serve');
}

/** The server of `odeon --dev` with these further settings, such as { 'rtc.shards': 2 }. */
export async function startServer(settings = {}, command = '--dev') {
  const binary = process.env.ODEON_BIN;
  if (!binary) throw new Error('ODEON_BIN names no program');
  const port = settings['http.port'] ?? (await freePort());
  // A folder of its own, gone with it; one that is named stays.
  const drawn = settings['data-dir'] ? undefined : mkdtempSync(join(tmpdir(), 'odeon-e2e-'));
  const data = settings['data-dir'] ?? drawn;
  const all = { 'http.port': port, 'rtc.udp_port': 0, 'rtc.tcp_port': 0, 'data-dir': data, ...settings };
  const flags = Object.entries(all).map(([key, value]) => `--${key}=${value}`);
  const out = new URL('../out/', import.meta.url).pathname;
  mkdirSync(out, { recursive: true });
  const log = join(out, `server-${port}.log`);
  // Its settings are those given here: what the tests' own environment says of other things is not for it.
  const environment = Object.entries(process.env).filter(([name]) => !name.startsWith('ODEON_'));
  const env = Object.fromEntries(environment);
  const child = spawn(binary, [command, ...flags], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const file = createWriteStream(log);
  child.stdout.pipe(file, { end: false });
  child.stderr.pipe(file, { end: false });
  const server = {
    port,
    pid: child.pid,
    data,
    tlsPort: settings['tls.port'],
    http: `http://127.0.0.1:${port}`,
    ws: `ws://127.0.0.1:${port}`,
    log: () => readFileSync(log, 'utf8'),
    udpPorts: () => udpPorts(child.pid),
    metrics: async () => parseMetrics(await (await fetch(`${server.http}/metrics`)).text()),
    kill: () => kill(child),
    stop: () => stop(child, drawn),
  };
  await ready(server, child);
  return server;
}

async function ready(server, child) {
  const deadline = Date.now() + START_MS;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}\n${server.log()}`);
    try {
      if ((await fetch(`${server.http}/readyz`)).ok) return;
    } catch {
      // not listening yet
    }
    if (Date.now() > deadline) throw new Error(`not ready in ${START_MS} ms\n${server.log()}`);
    await delay(20);
  }
}

/** As a power cut would, and with the data left where it is. */
async function kill(child) {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

async function stop(child, drawn) {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(late);
  }
  if (drawn) rmSync(drawn, { recursive: true, force: true });
}

/** { 'name{labels}': value } */
function parseMetrics(page) {
  const samples = page.split('\n').filter((line) => line && !line.startsWith('#'));
  return Object.fromEntries(samples.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]));
}

/** The sum of a metric over all its labels. */
export function total(metrics, name) {
  const of = ([key]) => key === name || key.startsWith(`${name}{`);
  return Object.entries(metrics).filter(of).reduce((sum, [, value]) => sum + value, 0);
}

/** UDP ports of a process, lowest first: the kernel's own list. */
function udpPorts(pid) {
  const inodes = new Set();
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    try {
      const [, inode] = readlinkSync(`/proc/${pid}/fd/${fd}`).match(/^socket:\[(\d+)\]$/) ?? [];
      if (inode) inodes.add(inode);
    } catch {
      // closed meanwhile
    }
  }
  const lines = ['udp', 'udp6'].flatMap((table) => readFileSync(`/proc/${pid}/net/${table}`, 'utf8').split('\n').slice(1));
  const ports = lines.map((line) => line.trim().split(/\s+/)).filter((fields) => inodes.has(fields[9]));
  return [...new Set(ports.map((fields) => parseInt(fields[1].split(':')[1], 16)))].sort((a, b) => a - b);
}
