// A real ACME authority (RFC 8555): Pebble, by the people of Let's Encrypt, with a DNS server that knows one machine only.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from './server.js';

const START_MS = 20_000;

/** The program, as Debian's package `pebble` installs it, or where PEBBLE says; null where there is none. */
export function pebblePath() {
  const named = process.env.PEBBLE ?? 'pebble';
  return spawnSync(named, ['-h']).error ? null : named;
}

/**
 * An authority on loopback whose web server has the certificate of the PEM file `pem` (with its key). It looks at `tlsPort`
 * where the world's would look at 443, and its certificates live for `lifeS` seconds.
 */
export async function startPebble({ pem, tlsPort, lifeS }) {
  const program = pebblePath();
  const folder = mkdtempSync(join(tmpdir(), 'odeon-pebble-'));
  const log = createWriteStream(new URL('../out/pebble.log', import.meta.url).pathname);
  const [port, management, dns, dnsManagement] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const at = (number) => `127.0.0.1:${number}`;
  const pebble = {
    listenAddress: at(port),
    managementListenAddress: at(management),
    certificate: pem,
    privateKey: pem,
    httpPort: 1,
    tlsPort,
    certificateValidityPeriod: lifeS,
  };
  const config = join(folder, 'config.json');
  writeFileSync(config, JSON.stringify({ pebble }));
  const nobody = ['-http01', '', '-https01', '', '-tlsalpn01', '', '-defaultIPv6', ''];
  const children = [
    spawn(`${program}-challtestsrv`, [...nobody, '-dns01', at(dns), '-management', at(dnsManagement), '-defaultIPv4', '127.0.0.1']),
    spawn(program, ['-strict', '-config', config, '-dnsserver', at(dns)], { env: { ...process.env, PEBBLE_VA_NOSLEEP: '1' } }),
  ];
  for (const child of children) {
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
  }
  const authority = {
    directory: `https://localhost:${port}/dir`,
    async stop() {
      for (const child of children) {
        if (child.exitCode !== null) continue;
        const ended = once(child, 'exit');
        child.kill('SIGKILL');
        await ended;
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await listening(port, children[1]);
  return authority;
}

async function listening(port, child) {
  const { connect } = await import('node:net');
  for (const deadline = Date.now() + START_MS; ; ) {
    if (child.exitCode !== null) throw new Error(`Pebble ended with ${child.exitCode}: see out/pebble.log`);
    const socket = connect(port, '127.0.0.1');
    const [open] = await Promise.race([once(socket, 'connect').then(() => [true]), once(socket, 'error').then(() => [false])]).catch(() => [false]);
    socket.destroy();
    if (open) return;
    if (Date.now() > deadline) throw new Error('Pebble does not listen');
    await delay(50);
  }
}
