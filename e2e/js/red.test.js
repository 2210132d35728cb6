// RED to those who take it, Opus to those who don't (L-64).
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually, subscribed } from '../lib/browser.js';
import { receivesNo } from '../lib/codecs.js';
import { gathering, meeting } from '../lib/meeting.js';

const world = meeting();

const microphone = (person) => person.tracks.find((track) => track.source === 'microphone');

/** `identity` is heard by these, and no packet is missing. */
async function heardBy(identity, ...venues) {
  for (const venue of venues) {
    const sid = await subscribed(venue, identity, 'microphone');
    await eventually(`${identity} is heard`, async () => (await venue.listen(sid, 1500)).loudest > 0.01);
    const { packetsLost, packetsReceived } = await venue.received(sid);
    assert.ok(packetsLost < 5, `${packetsLost} of ${packetsReceived} packets are missing`);
  }
}

/** How much larger the packets are that the first gets than those of the second, in the same two seconds. */
async function sizeRatio(identity, first, second) {
  const counts = () => Promise.all([first, second].map(async (venue) => venue.received(await subscribed(venue, identity, 'microphone'))));
  const before = await counts();
  await delay(2000);
  const sizes = (await counts()).map((now, at) => (now.bytesReceived - before[at].bytesReceived) / (now.packetsReceived - before[at].packetsReceived));
  return sizes[0] / sizes[1];
}

/** Chromium's stats call RED by the Opus in it; but its packets are twice as large. */
async function getsRed(identity, red, plain) {
  await eventually(`${identity} comes as RED`, async () => (await sizeRatio(identity, red, plain)) > 1.5);
}

const codecOf = async (venue) => venue.sendsCodec(microphone(await venue.me()).sid);

for (const mode of ['single', 'dual']) {
  describe(`the microphone (${mode})`, () => {
    it(`L-64 ${mode}: goes as RED to who takes it, and as Opus to who does not`, async (t) => {
      const people = gathering(world, t);
      const ada = await people.browser('ada', { mode });
      const ben = await people.browser('ben', { mode });
      const old = await people.browser('old', { mode, page: receivesNo('audio/red') });
      await ada.setMicrophone(true);
      assert.equal(await codecOf(ada), 'audio/red');
      await heardBy('ada', ben, old);
      await getsRed('ada', ben, old);
      assert.equal(microphone(await ben.other('ada')).mime, 'audio/red');
    });

    it(`L-64 ${mode}: goes as Opus to everybody when it is published without RED`, async (t) => {
      const people = gathering(world, t);
      const ada = await people.browser('ada', { mode });
      const ben = await people.browser('ben', { mode });
      await ada.setMicrophone(true, undefined, { red: false });
      assert.equal(await codecOf(ada), 'audio/opus');
      const old = await people.browser('old', { mode, page: receivesNo('audio/red') });
      await heardBy('ada', ben, old);
      await eventually('both get the same', async () => Math.abs((await sizeRatio('ada', ben, old)) - 1) < 0.2);
      assert.equal(microphone(await ben.other('ada')).mime.toLowerCase(), 'audio/opus');
    });
  });
}

describe('Python and RED', () => {
  it('L-64: Python hears RED, and is heard by who takes no RED', async (t) => {
    const people = gathering(world, t);
    const ada = await people.browser('ada');
    const old = await people.browser('old', { page: receivesNo('audio/red') });
    const pia = await people.python('pia');
    await ada.setMicrophone(true);
    await pia.publish_audio(440);
    const heard = await pia.listen('ada', 3);
    assert.ok(heard.loudest > 0.01, JSON.stringify(heard));
    await heardBy('pia', ada, old);
    await getsRed('pia', ada, old);
    const tone = await old.listen(await subscribed(old, 'pia', 'microphone'), 1500);
    assert.ok(Math.abs(tone.hertz - 440) < 12, `${tone.hertz} Hz is not the tone`);
  });
});
