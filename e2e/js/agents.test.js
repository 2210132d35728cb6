// A worker on LiveKit's own framework (PyPI livekit-agents) takes jobs here, its agents join rooms (L-68).
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, it } from 'node:test';
import { AgentDispatchClient } from 'livekit-server-sdk';
import { eventually, happened, subscribed } from '../lib/browser.js';
import { gathering, meeting } from '../lib/meeting.js';
import { total } from '../lib/server.js';
import { KEY, SECRET } from '../lib/token.js';

const HERE = new URL('..', import.meta.url).pathname;
const AGENT_KIND = 4;

const world = meeting({ settings: { 'room.departure_timeout': 1 } });
const workers = [];
after(() => workers.forEach((worker) => worker.child.kill('SIGKILL')));

/** Starts a worker; it is registered when this returns. */
async function startWorker(name = '') {
  const before = total(await world.server.metrics(), 'odeon_agent_workers');
  const env = { ...process.env, ODEON_WS: world.server.ws, AGENT_NAME: name };
  const child = spawn(`${HERE}.venv-agents/bin/python`, ['-u', `${HERE}python/agent_worker.py`], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const log = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => log.push(String(text)));
  const worker = { child, log };
  workers.push(worker);
  await eventually('the worker is registered', async () => {
    if (child.exitCode !== null) throw new Error(log.join(''));
    return total(await world.server.metrics(), 'odeon_agent_workers') > before;
  }, 90_000);
  return worker;
}

async function stopWorker(worker) {
  const ended = once(worker.child, 'exit');
  worker.child.kill('SIGTERM');
  await ended;
}

/** The agent as somebody sees it, once it is there. */
async function agentOf(person) {
  return eventually('the agent', async () => {
    const others = await person.others();
    return others.find((other) => other.identity.startsWith('agent-'));
  }, 60_000);
}

it('L-68: a worker without a name joins any room, speaks, answers, and goes with the last', { timeout: 240_000 }, async (t) => {
  const worker = await startWorker();
  const people = gathering(world, t);
  const ada = await people.browser('ada');
  const agent = await agentOf(ada);
  assert.equal(agent.kind, AGENT_KIND);
  await subscribed(ada, agent.identity, 'microphone');
  await ada.sendData('hello', { reliable: true, topic: 'question' });
  await happened(ada, 'dataReceived', agent.identity, 'echo hello []');
  await ada.leave();
  await eventually('the room ends', async () => total(await world.server.metrics(), 'odeon_rooms') === 0, 20_000);
  await stopWorker(worker);
  await eventually('the worker is gone', async () => total(await world.server.metrics(), 'odeon_agent_workers') === 0);
});

it('L-68: a named worker comes by AgentDispatchService, and goes when its dispatch is deleted', { timeout: 240_000 }, async (t) => {
  const worker = await startWorker('helper');
  const people = gathering(world, t);
  const ada = await people.browser('ada');
  const dispatches = new AgentDispatchClient(world.server.http, KEY, SECRET);
  const made = await dispatches.createDispatch(people.room, 'helper', { metadata: 'by api' });
  assert.ok(made.id.startsWith('AD_'));
  const agent = await agentOf(ada);
  assert.equal(agent.attributes['lk.agent_name'], 'helper');
  await subscribed(ada, agent.identity, 'microphone');
  await ada.sendData('hello', { reliable: true, topic: 'question' });
  await happened(ada, 'dataReceived', agent.identity, 'echo hello [by api]');
  const [listed] = (await dispatches.listDispatch(people.room)).filter(({ id }) => id === made.id);
  assert.equal(listed.state.jobs[0].state.participantIdentity, agent.identity);
  await dispatches.deleteDispatch(made.id, people.room);
  await eventually('the agent leaves', async () => (await ada.others()).length === 0, 30_000);
  await stopWorker(worker);
});
