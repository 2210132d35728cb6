// `odeon-bench relay`: a UDP relay with a bad network inside, as a process of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';

/** Starts a relay to `to`; its port on loopback. */
export async function startRelay({ to, loss = 0, delayMs = 0, jitterMs = 0, seed = 1 }) {
  const binary = process.env.ODEON_BENCH_BIN ?? join(dirname(process.env.ODEON_BIN), 'odeon-bench');
  if (!existsSync(binary)) throw new Error(`${binary} is not built: cargo build --release -p bench`);
  const flags = { to, loss, 'delay-ms': delayMs, 'jitter-ms': jitterMs, seed, listen: '127.0.0.1:0' };
  const child = spawn(binary, ['relay', ...Object.entries(flags).map(([key, value]) => `--${key}=${value}`)]);
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  const port = Number(line.match(/^relay [^ ]+:(\d+) /)[1]);
  return {
    port,
    /** Nothing goes through until `resume`: packets wait or are lost. */
    pause: () => child.kill('SIGSTOP'),
    resume: () => child.kill('SIGCONT'),
    async stop() {
      if (child.exitCode !== null) return;
      child.kill('SIGCONT');
      const ended = once(child, 'exit');
      child.kill('SIGINT');
      await ended;
    },
  };
}

/** For a page's `before`: runs in the page before anything else: every candidate of the server's leads to the relay's port. */
export function throughRelay(port) {
  const rewrite = (line) => line.replace(/(candidate:\S+ \d+ udp \d+ )\S+ \d+/gi, `$1127.0.0.1 ${port}`);
  const { setRemoteDescription, addIceCandidate } = RTCPeerConnection.prototype;
  RTCPeerConnection.prototype.setRemoteDescription = function (description) {
    return setRemoteDescription.call(this, description && { type: description.type, sdp: rewrite(description.sdp) });
  };
  RTCPeerConnection.prototype.addIceCandidate = function (candidate) {
    return addIceCandidate.call(this, candidate?.candidate ? { ...(candidate.toJSON?.() ?? candidate), candidate: rewrite(candidate.candidate) } : candidate);
  };
}
