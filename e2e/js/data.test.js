// Data packets between JS and Python, both ways, reliable and lossy, to all and to some.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually, happened } from '../lib/browser.js';
import { gathering, meeting } from '../lib/meeting.js';

const world = meeting();
const RELIABLE = 0;
const LOSSY = 1;

function received(log) {
  return log.filter(([, event]) => event === 'dataReceived').map(([, , from, text]) => [from, text]);
}

for (const mode of ['single', 'dual']) {
  describe(`data (${mode})`, () => {
    it(`L-12 L-44 L-47 L-48 ${mode}: JS to all and to some, reliable and lossy`, async (t) => {
      const people = gathering(world, t);
      const ada = await people.browser('ada', { mode });
      const ben = await people.browser('ben', { mode });
      const pia = await people.python('pia');
      for (const [reliable, kind, word] of [[true, RELIABLE, 'reliable'], [false, LOSSY, 'lossy']]) {
        await ada.sendData(`all ${word}`, { reliable, topic: 'greeting' });
        await ada.sendData(`ben ${word}`, { reliable, destinationIdentities: ['ben'] });
        await ada.sendData(`pia ${word}`, { reliable, destinationIdentities: ['pia'] });
        await happened(ben, 'dataReceived', 'ada', `all ${word}`, kind, 'greeting');
        await happened(ben, 'dataReceived', 'ada', `ben ${word}`, kind);
        await eventually(`Python gets ${word}`, async () => {
          const got = (await pia.events()).filter(([event]) => event === 'data');
          return got.some(([, from, text, how]) => from === 'ada' && text === `pia ${word}` && how === word);
        });
      }
      await delay(200);
      const python = (await pia.events()).filter(([event]) => event === 'data').map(([, , text]) => text);
      assert.deepEqual(python.sort(), ['all lossy', 'all reliable', 'pia lossy', 'pia reliable']);
      assert.ok(!received(await ben.log()).some(([, text]) => text.startsWith('pia')), 'it was not for ben');
      assert.deepEqual(received(await ada.log()), [], 'an echo');
    });

    it(`L-12 L-44 L-47 ${mode}: Python to all and to some`, async (t) => {
      const people = gathering(world, t);
      const ada = await people.browser('ada', { mode });
      const ben = await people.browser('ben', { mode });
      const pia = await people.python('pia');
      for (const reliable of [true, false]) {
        await pia.send_data('to all', reliable);
        await pia.send_data('to ada', reliable, ['ada'], 'secret');
        const kind = reliable ? RELIABLE : LOSSY;
        await happened(ben, 'dataReceived', 'pia', 'to all', kind);
        await happened(ada, 'dataReceived', 'pia', 'to all', kind);
        await happened(ada, 'dataReceived', 'pia', 'to ada', kind, 'secret');
      }
      await delay(200);
      assert.ok(!received(await ben.log()).some(([, text]) => text === 'to ada'), 'it was not for ben');
    });
  });
}

describe('data of other kinds', () => {
  for (const mode of ['single', 'dual']) {
    it(`L-44 ${mode}: messages of channels with a label of the application's own arrive as packets`, async (t) => {
      const people = gathering(world, t);
      const ada = await people.browser('ada', { mode });
      const ben = await people.browser('ben', { mode });
      const pia = await people.python('pia');
      await ada.sendData('first', { reliable: true }); // in dual mode this connects the publisher
      await happened(ben, 'dataReceived', 'ada', 'first');
      await ada.sendRaw('chat', 'hello');
      await happened(ben, 'dataReceived', 'ada', 'hello', RELIABLE, null);
      await eventually('Python gets it', async () => (await pia.data_heads(5)).includes('hello'));
    });
  }
});

describe('data under load', () => {
  it('L-46: lossy packets of up to 1.3 kB arrive, each once and whole', async (t) => {
    const people = gathering(world, t);
    const ada = await people.browser('ada');
    const ben = await people.browser('ben');
    await eventually('ada is there', () => ben.other('ada'));
    for (let number = 0; number < 50; number += 1) {
      await ada.sendData(`${number} `.padEnd(1300, 'x'), { reliable: false });
      await delay(5);
    }
    // Lossy: on loopback nothing is lost, but nobody has promised that.
    await eventually('nearly all', async () => received(await ben.log()).length >= 48);
    const got = received(await ben.log()).map(([, text]) => text);
    assert.ok(got.every((text) => text.length === 1300));
    assert.equal(new Set(got).size, got.length, 'none twice');
  });

  it('L-46: 200 reliable packets arrive, each once and in order', async (t) => {
    const people = gathering(world, t);
    const ada = await people.browser('ada');
    const pia = await people.python('pia');
    for (let number = 0; number < 200; number += 1) await ada.sendData(`${number}`.padEnd(1000, '.'), { reliable: true });
    const numbers = await eventually('200 packets', async () => {
      const got = (await pia.events()).filter(([event]) => event === 'data').map(([, , text]) => parseInt(text, 10));
      return got.length >= 200 && got;
    });
    assert.deepEqual(numbers, Array.from({ length: 200 }, (_, number) => number));
  });

  it('L-51: without canPublishData nothing arrives', async (t) => {
    const people = gathering(world, t);
    const mute = await people.browser('mute', { video: { canPublishData: false } });
    const ben = await people.browser('ben');
    const pia = await people.python('pia');
    await mute.refused('publishData', { 0: 1 }, { reliable: true });
    await pia.send_data('allowed');
    await happened(ben, 'dataReceived', 'pia', 'allowed');
    assert.deepEqual(received(await ben.log()).map(([from]) => from), ['pia']);
  });
});
