// Runs the Python SDK's own scenarios (python/test_sdk.py) against a server of this file's own. They print and count
// themselves; here only their end counts.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { it } from 'node:test';
import { meeting } from '../lib/meeting.js';

const world = meeting({ browser: false });
const HERE = new URL('..', import.meta.url).pathname;

it('the Python SDK\'s own scenarios', { timeout: 300_000 }, async () => {
  const child = spawn(`${HERE}.venv/bin/python`, ['-u', `${HERE}python/test_sdk.py`], {
    env: { ...process.env, ODEON_HTTP: world.server.http },
    stdio: ['ignore', 2, 2],
  });
  const [code] = await once(child, 'exit');
  assert.equal(code, 0);
});
