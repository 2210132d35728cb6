// Data streams: texts, bytes and files in pieces, between JS and Python (L-65, livekit.md 2.6).
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually, happened } from '../lib/browser.js';
import { gathering, meeting } from '../lib/meeting.js';

const world = meeting();
const TOPIC = 'streams';
const digest = (content) => createHash('sha256').update(content).digest('hex');
const filled = (byte, length) => digest(Buffer.alloc(length, byte));

/** Python's note of this stream. */
const noted = (pia, ...expected) =>
  eventually(`Python gets ${expected}`, async () =>
    (await pia.events()).some((entry) => expected.every((value, at) => value === undefined || entry[at] === value)),
  );

for (const mode of ['single', 'dual']) {
  describe(`data streams (${mode})`, () => {
    it(`L-65 ${mode}: sendText, streamText, streamBytes and sendFile from JS`, async (t) => {
      const people = gathering(world, t);
      const ada = await people.browser('ada', { mode });
      const ben = await people.browser('ben', { mode });
      const pia = await people.python('pia');
      await Promise.all([ben.watchStreams(TOPIC), pia.watch_streams(TOPIC)]);
      const long = Array.from({ length: 20_000 }, (_, number) => `${number}`).join(' ');
      for (const text of ['short', long]) {
        await ada.sendText(text, { topic: TOPIC, attributes: { colour: 'red' } });
        await happened(ben, 'text', 'ada', text.length, digest(text), { colour: 'red' });
        await noted(pia, 'text', 'ada', text.length, digest(text));
      }
      await ada.streamText(['one', 'two', 'three'], { topic: TOPIC });
      await happened(ben, 'text', 'ada', 11, digest('onetwothree'));
      await ada.streamBytes([[1, 100], [1, 40_000]], { topic: TOPIC, name: 'bytes' });
      await happened(ben, 'bytes', 'ada', 40_100, filled(1, 40_100), 'bytes');
      await noted(pia, 'bytes', 'ada', 40_100, filled(1, 40_100), 'bytes');
      await ada.sendFile('file.bin', 7, 1_000_000, { topic: TOPIC });
      await happened(ben, 'bytes', 'ada', 1_000_000, filled(7, 1_000_000), 'file.bin', 'application/x-test');
      await noted(pia, 'bytes', 'ada', 1_000_000, filled(7, 1_000_000), 'file.bin');
    });

    it(`L-65 ${mode}: texts and bytes from Python, and a stream for one alone`, async (t) => {
      const people = gathering(world, t);
      const ada = await people.browser('ada', { mode });
      const ben = await people.browser('ben', { mode });
      const pia = await people.python('pia');
      await Promise.all([ada.watchStreams(TOPIC), ben.watchStreams(TOPIC)]);
      const long = Array.from({ length: 10_000 }, (_, number) => `${number}`).join(' ');
      for (const text of ['short', long]) {
        await pia.send_text(text, TOPIC);
        await happened(ada, 'text', 'pia', text.length, digest(text));
        await happened(ben, 'text', 'pia', text.length, digest(text));
      }
      await pia.send_bytes(3, 200_000, 'blob', TOPIC);
      await happened(ben, 'bytes', 'pia', 200_000, filled(3, 200_000), 'blob');
      await pia.send_text('secret', TOPIC, ['ada']);
      await happened(ada, 'text', 'pia', 6, digest('secret'));
      await delay(200);
      const others = (await ben.log()).filter(([, event, , length]) => event === 'text' && length === 6);
      assert.deepEqual(others, [], 'it was for ada');
    });
  });
}
