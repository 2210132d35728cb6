// Who is there and what they say of themselves: mute, unpublish, leave, duplicates, metadata, speakers, join order.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DisconnectReason } from 'livekit-client';
import { eventually, happened, subscribed } from '../lib/browser.js';
import { SMALL_CAMERA, gathering, meeting } from '../lib/meeting.js';

const world = meeting();

async function pythonSaw(python, ...entry) {
  const fits = (event) => entry.every((part, at) => part === undefined || JSON.stringify(event[at]) === JSON.stringify(part));
  return eventually(`Python: ${JSON.stringify(entry)}`, async () => (await python.events()).find(fits));
}

for (const mode of ['single', 'dual']) {
  describe(`participants (${mode})`, () => {
    it(`L-11 L-40 ${mode}: mute and unmute of a microphone and a camera reach others`, async (t) => {
      const people = gathering(world, t);
      const ada = await people.browser('ada', { mode });
      const ben = await people.browser('ben', { mode });
      const pia = await people.python('pia');
      const camera = await ada.setCamera(true, ...SMALL_CAMERA);
      const microphone = await ada.setMicrophone(true);
      await subscribed(ben, 'ada', 'camera');
      await subscribed(ben, 'ada', 'microphone');
      for (const sid of [camera, microphone]) {
        await ada.mute(sid, true);
        await happened(ben, 'trackMuted', 'ada', undefined, sid);
        await pythonSaw(pia, 'track_muted', 'ada', sid);
        await ada.mute(sid, false);
        await happened(ben, 'trackUnmuted', 'ada', undefined, sid);
        await pythonSaw(pia, 'track_unmuted', 'ada', sid);
      }
      await eventually('pictures again', async () => (await ben.look(camera, 1000)).distinct >= 4);
    });

    it(`L-33 ${mode}: setCameraEnabled(false) is seen as muted, not as gone`, async (t) => {
      const people = gathering(world, t);
      const ada = await people.browser('ada', { mode });
      const ben = await people.browser('ben', { mode });
      const sid = await ada.setCamera(true, ...SMALL_CAMERA);
      await subscribed(ben, 'ada', 'camera');
      await ada.setCamera(false);
      await happened(ben, 'trackMuted', 'ada', 'camera', sid);
      assert.equal((await ben.other('ada')).tracks.length, 1);
      await ada.setCamera(true);
      await happened(ben, 'trackUnmuted', 'ada', 'camera', sid);
    });

    it(`L-11 L-26 ${mode}: unpublishing is told, and a new publication comes with a new sid`, async (t) => {
      const people = gathering(world, t);
      const ada = await people.browser('ada', { mode });
      const ben = await people.browser('ben', { mode });
      const first = await ada.setCamera(true, ...SMALL_CAMERA);
      await subscribed(ben, 'ada', 'camera');
      await ada.unpublish(first);
      await happened(ben, 'trackUnpublished', 'ada', 'camera', first);
      const second = await ada.setCamera(true, ...SMALL_CAMERA);
      assert.notEqual(second, first);
      await happened(ben, 'trackSubscribed', 'ada', 'camera', second);
      await eventually('its picture', async () => (await ben.look(second, 1000)).distinct >= 4);
    });

    it(`L-27 ${mode}: leaving is told at once`, async (t) => {
      const people = gathering(world, t);
      const ada = await people.browser('ada', { mode });
      const ben = await people.browser('ben', { mode });
      await happened(ada, 'participantConnected', 'ben');
      await ben.leave();
      await happened(ben, 'disconnected', DisconnectReason.CLIENT_INITIATED);
      await happened(ada, 'participantDisconnected', 'ben');
    });

    it(`L-16 L-50 ${mode}: a second session with the same identity ends the first`, async (t) => {
      const people = gathering(world, t);
      const watcher = await people.browser('watcher', { mode });
      const first = await people.browser('twin', { mode });
      const second = await people.browser('twin', { mode });
      await happened(first, 'disconnected', DisconnectReason.DUPLICATE_IDENTITY);
      const { sid } = await second.me();
      await eventually('the second alone', async () => {
        const others = await watcher.others();
        return others.length === 1 && others[0].sid === sid;
      });
    });

    it(`L-15 L-17 L-23 L-42 ${mode}: a joiner knows the room, who is there, their metadata and their tracks`, async (t) => {
      const people = gathering(world, t);
      const ada = await people.browser('ada', { mode, access: { name: 'Ada L.', metadata: 'first', attributes: { seat: '1' } } });
      const sid = await ada.setCamera(true, ...SMALL_CAMERA);
      const ben = await people.browser('ben', { mode });
      const known = await ben.other('ada');
      assert.equal(known.name, 'Ada L.');
      assert.equal(known.metadata, 'first');
      assert.deepEqual(known.attributes, { seat: '1' });
      assert.match(known.sid, /^PA_[2-9A-HJ-NP-Za-km-z]{12}$/);
      assert.deepEqual(known.tracks.map((track) => track.sid), [sid]);
      assert.equal((await ben.roomInfo()).name, people.room);
    });
  });
}

describe('what participants say of themselves', () => {
  const mayUpdate = { video: { canUpdateOwnMetadata: true } };

  it('L-43: setMetadata, setName and setAttributes resolve and reach others, from JS to Python', async (t) => {
    const people = gathering(world, t);
    const ada = await people.browser('ada', mayUpdate);
    const ben = await people.browser('ben');
    const pia = await people.python('pia');
    await ada.setMetadata('{"mood":"good"}');
    await ada.setName('Ada Lovelace');
    await ada.setAttributes({ seat: '12', colour: 'blue' });
    await happened(ben, 'participantMetadataChanged', 'ada', undefined, '{"mood":"good"}');
    await happened(ben, 'participantNameChanged', 'ada', 'Ada Lovelace');
    await happened(ben, 'participantAttributesChanged', 'ada', { seat: '12', colour: 'blue' });
    await pythonSaw(pia, 'metadata', 'ada', '{"mood":"good"}');
    await pythonSaw(pia, 'name', 'ada', 'Ada Lovelace');
    await eventually('the attributes in Python', async () => {
      const known = (await pia.others()).find((one) => one.identity === 'ada');
      return known.attributes.seat === '12' && known.attributes.colour === 'blue';
    });
  });

  it('L-43: and from Python to JS', async (t) => {
    const people = gathering(world, t);
    const ben = await people.browser('ben');
    const pia = await people.python('pia', mayUpdate);
    await pia.set_metadata('from python');
    await pia.set_name('Pia');
    await pia.set_attributes({ seat: '7' });
    await happened(ben, 'participantMetadataChanged', 'pia', undefined, 'from python');
    await happened(ben, 'participantNameChanged', 'pia', 'Pia');
    await happened(ben, 'participantAttributesChanged', 'pia', { seat: '7' });
  });

  it('L-51: without canUpdateOwnMetadata the change is refused, not lost', async (t) => {
    const people = gathering(world, t);
    const ada = await people.browser('ada');
    const began = Date.now();
    const refusal = await ada.refused('setMetadata', 'x');
    assert.match(refusal, /^SignalRequestError/);
    assert.ok(Date.now() - began < 3000, 'livekit-client gave up waiting: there was no request_response');
  });

  it('L-51: without canPublish nothing is published', async (t) => {
    const people = gathering(world, t);
    const ada = await people.browser('ada', { video: { canPublish: false } });
    assert.ok(await ada.refused('setMicrophoneEnabled', true));
    assert.equal((await ada.me()).tracks.filter((track) => track.sid).length, 0);
  });

  it('L-51: hidden participants are seen by nobody, and see', async (t) => {
    const people = gathering(world, t);
    const ada = await people.browser('ada');
    const ghost = await people.browser('ghost', { video: { hidden: true } });
    const ben = await people.browser('ben');
    await happened(ada, 'participantConnected', 'ben');
    assert.deepEqual((await ada.others()).map((one) => one.identity), ['ben']);
    assert.deepEqual((await ben.others()).map((one) => one.identity), ['ada']);
    await eventually('the ghost sees both', async () => (await ghost.others()).length === 2);
  });

  it('L-03: speakers are told, and silence too', async (t) => {
    const people = gathering(world, t);
    const ben = await people.browser('ben');
    const pia = await people.python('pia');
    const sid = await pia.publish_audio(440);
    await happened(ben, 'activeSpeakersChanged', ['pia']);
    await ben.clearLog();
    await pia.mute(sid, true);
    await happened(ben, 'activeSpeakersChanged', []);
  });

  it('L-28 L-52: ping and pong keep a quiet session alive for longer than its ping timeout', async (t) => {
    const people = gathering(world, t);
    const ada = await people.browser('ada');
    await new Promise((resolve) => setTimeout(resolve, 17_000));
    assert.equal((await ada.roomInfo()).state, 'connected');
    const trouble = (await ada.log()).filter(([, event]) => /reconnecting|disconnected/i.test(event));
    assert.deepEqual(trouble, []);
  });
});
