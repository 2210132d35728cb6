// A network of a test's own: a namespace with one cable to the server, and a firewall that lets only some things through.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A table of routes that lead nowhere. */
const SINK = '200';

const ip = (...args) => execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString();

/** Why no namespace can be made here, or null. A test that needs one says it loudly. */
export function namespacesMissing() {
  const name = `odeon-probe-${process.pid}`;
  try {
    ip('netns', 'add', name);
    ip('netns', 'exec', name, 'ip', 'rule', 'add', 'ipproto', 'udp', 'lookup', SINK);
    ip('netns', 'exec', name, 'ip', 'link', 'add', 'sink', 'type', 'veth', 'peer', 'name', 'drain');
    return null;
  } catch (error) {
    const why = `no network namespaces here (${String(error.stderr ?? error.message).trim()}): run as root with CAP_NET_ADMIN and CAP_SYS_ADMIN`;
    console.error(`NOT TESTED: ${why}`);
    return why;
  } finally {
    try {
      ip('netns', 'del', name);
    } catch {
      // it was never made
    }
  }
}

/** A namespace whose programs reach `server` and `front`, two addresses of this side, by its cable alone. */
export function openNetwork() {
  const [a, b] = [100 + (process.pid >> 8) % 100, process.pid % 256];
  const address = (last) => `10.${a}.${b}.${last}`;
  const name = `odeon-${process.pid}`;
  const [here, there] = [`oda${process.pid}`, `odb${process.pid}`];
  const inside = (...args) => ip('netns', 'exec', name, 'ip', ...args);
  ip('netns', 'add', name);
  ip('link', 'add', here, 'type', 'veth', 'peer', 'name', there, 'netns', name);
  for (const last of [1, 2]) ip('addr', 'add', `${address(last)}/24`, 'dev', here);
  ip('link', 'set', here, 'up');
  inside('link', 'set', 'lo', 'up');
  inside('addr', 'add', `${address(3)}/24`, 'dev', there);
  inside('link', 'set', there, 'up');
  // What is not let through vanishes as in a firewall. A route that refuses would tell the sender, and Chromium gives up a
  // socket that was told.
  inside('link', 'add', 'sink', 'type', 'veth', 'peer', 'name', 'drain');
  inside('link', 'set', 'sink', 'arp', 'off');
  for (const end of ['sink', 'drain']) inside('link', 'set', end, 'up');
  inside('route', 'add', 'default', 'dev', 'sink', 'table', SINK);
  const folder = mkdtempSync(join(tmpdir(), 'odeon-net-'));
  return {
    server: address(1),
    front: address(2),
    /** Nothing but what these rules name gets out: 'udp', 'tcp', 'tcp/443'. Others vanish without an answer. */
    allow(...rules) {
      for (const protocol of ['udp', 'tcp']) {
        while (inside('rule').includes(`ipproto ${protocol}`)) inside('rule', 'del', 'ipproto', protocol);
      }
      for (const rule of rules) {
        const [protocol, port] = rule.split('/');
        inside('rule', 'add', 'pref', '10', 'ipproto', protocol, ...(port ? ['dport', port] : []), 'lookup', 'main');
      }
      for (const protocol of ['udp', 'tcp']) inside('rule', 'add', 'pref', '20', 'ipproto', protocol, 'lookup', SINK);
    },
    /** A program that runs this one inside. */
    wrapper(program) {
      const path = join(folder, program.replaceAll('/', '-'));
      writeFileSync(path, `#!/bin/sh\nexec ip netns exec ${name} ${program} "$@"\n`);
      chmodSync(path, 0o755);
      return path;
    },
    close() {
      ip('netns', 'del', name); // the cable goes with it
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
