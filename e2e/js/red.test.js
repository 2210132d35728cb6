// RED to those who take it, Opus to those who don't (L-64), with the codec that getStats sees on the wire.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually, subscribed } from '../lib/browser.js';
import { receivesNo } from '../lib/codecs.js';
import { gathering, meeting } from '../lib/meeting.js';

const world = meeting();

const microphone = (person) => person.tracks.find((track) => track.source === 'microphone');

/** The codec on the wire of the microphone of `identity`, as `venue` gets it, and that it is heard. */
async function gets(venue, identity, codec) {
  const sid = await subscribed(venue, identity, 'microphone');
  await eventually(`${codec} of ${identity}`, async () => (await venue.codec(sid))?.toLowerCase() === codec);
  await eventually(`${identity} is heard`, async () => (await venue.listen(sid, 1500)).loudest > 0.01);
}

async function sends(venue, codec) {
  const { sid } = microphone(await venue.me());
  await eventually(`${codec} is sent`, async () => (await venue.codec(sid))?.toLowerCase() === codec);
}

for (const mode of ['single', 'dual']) {
  describe(`the microphone (${mode})`, () => {
    it(`L-64 ${mode}: goes as RED to who takes it, and as Opus to who does not`, async (t) => {
      const people = gathering(world, t);
      const ada = await people.browser('ada', { mode });
      const ben = await people.browser('ben', { mode });
      const old = await people.browser('old', { mode, page: receivesNo('audio/red') });
      await ada.setMicrophone(true);
      await sends(ada, 'audio/red');
      await gets(ben, 'ada', 'audio/red');
      await gets(old, 'ada', 'audio/opus');
      assert.equal(microphone(await ben.other('ada')).mime, 'audio/red');
    });

    it(`L-64 ${mode}: goes as Opus to everybody when it is published without RED`, async (t) => {
      const people = gathering(world, t);
      const ada = await people.browser('ada', { mode });
      const ben = await people.browser('ben', { mode });
      await ada.setMicrophone(true, undefined, { red: false });
      await sends(ada, 'audio/opus');
      await gets(ben, 'ada', 'audio/opus');
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
    await gets(ada, 'pia', 'audio/red');
    await gets(old, 'pia', 'audio/opus');
    const tone = await old.listen(await subscribed(old, 'pia', 'microphone'), 1500);
    assert.ok(Math.abs(tone.hertz - 440) < 12, `${tone.hertz} Hz is not the tone`);
  });
});
