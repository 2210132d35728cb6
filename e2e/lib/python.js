// A participant on LiveKit's Python SDK, driven by lines of JSON (python/participant.py).
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const HERE = new URL('..', import.meta.url).pathname;
const ANSWER_MS = 30_000;

/**
 * Starts the process; each of its commands is a function: `await python.join(url, token)`. `program` runs it somewhere else,
 * such as in a namespace.
 */
export async function startPython({ program = (path) => path } = {}) {
  const child = spawn(program(`${HERE}.venv/bin/python`), ['-u', `${HERE}python/participant.py`], { stdio: ['pipe', 'pipe', 'pipe'] });
  const waiting = new Map();
  const complaints = [];
  let next = 1;
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { id, result, error } = JSON.parse(line);
    const { resolve, reject } = waiting.get(id) ?? {};
    waiting.delete(id);
    if (error === undefined) resolve?.(result);
    else reject?.(new Error(`Python: ${error}`));
  });
  createInterface({ input: child.stderr }).on('line', (line) => complaints.push(line));
  child.on('exit', (code) => {
    for (const { reject } of waiting.values()) reject(new Error(`Python ended with ${code}: ${complaints.slice(-20).join('\n')}`));
  });
  const call = (command, ...args) =>
    new Promise((resolve, reject) => {
      const id = next++;
      const late = setTimeout(() => reject(new Error(`Python: no answer to ${command}; ${complaints.slice(-20).join('\n')}`)), ANSWER_MS);
      const settle = (done) => (value) => (clearTimeout(late), done(value));
      waiting.set(id, { resolve: settle(resolve), reject: settle(reject) });
      child.stdin.write(`${JSON.stringify({ id, command, args })}\n`);
    });
  const python = {
    async stop() {
      if (child.exitCode !== null) return;
      const ended = once(child, 'exit');
      child.stdin.end();
      const late = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await ended;
      clearTimeout(late);
    },
  };
  return new Proxy(python, { get: (own, name) => own[name] ?? (name === 'then' ? undefined : (...args) => call(name, ...args)) });
}
