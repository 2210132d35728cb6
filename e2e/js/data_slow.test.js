// A reader that takes nothing any more: its network stands still, and reliable packets pile up for it.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eventually, happened } from '../lib/browser.js';
import { gathering, meeting } from '../lib/meeting.js';
import { startRelay, throughRelay } from '../lib/relay.js';

const world = meeting({ settings: { 'rtc.shards': 1 } });
const PACKETS = 120; // of 50 kB: more than a receiver may be behind, and what lies on the way

it('L-44 Q-7: a stalled reader is cut and comes back, and nobody else waits for it', { timeout: 120_000 }, async (t) => {
  const [port] = world.server.udpPorts();
  const relay = await startRelay({ to: `127.0.0.1:${port}` });
  t.after(() => relay.stop());
  const people = gathering(world, t);
  const ada = await people.browser('ada');
  const pia = await people.python('pia');
  const ben = await people.browser('ben', { page: { before: { script: throughRelay, argument: relay.port } } });
  await ada.sendData('first', { reliable: true });
  await happened(ben, 'dataReceived', 'ada', 'first');
  relay.pause();
  let heads = [];
  for (let number = 0; number < PACKETS; number += 1) {
    await ada.sendData(`${number}`.padEnd(50_000, '.'), { reliable: true });
    // No faster than somebody whose network moves: they must not fall behind too.
    if (number % 10 !== 9) continue;
    heads = await eventually('packets at Python', async () => {
      const heads = await pia.data_heads(5);
      return heads.length === number + 2 && heads;
    });
  }
  assert.deepEqual(heads.slice(1).map((head) => parseInt(head, 10)), Array.from({ length: PACKETS }, (_, number) => number));
  await eventually('ben is told', async () => (await ben.log()).some(([, event]) => /econnecting/.test(event)), 20_000);
  relay.resume();
  await eventually('ben is back', async () => {
    await ada.sendData('again', { reliable: true });
    return (await ben.log()).some(([, event, from, text]) => event === 'dataReceived' && from === 'ada' && text === 'again');
  }, 40_000);
  assert.equal((await world.server.metrics())['odeon_data_readers_cut_total{shard="0"}'], 1);
});
