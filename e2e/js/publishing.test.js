// What a publisher's track is answered with, and what the room lets be published (L-33, L-62, L-67).
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RoomServiceClient } from 'livekit-server-sdk';
import { eventually, happened, subscribed } from '../lib/browser.js';
import { listensToAnswers } from '../lib/codecs.js';
import { SMALL_CAMERA, gathering, meeting } from '../lib/meeting.js';
import { KEY, SECRET } from '../lib/token.js';

const world = meeting({ settings: { 'limits.subscriptions_video': 1 } });
const plain = meeting({ settings: { 'room.enabled_codecs': 'video/VP8,audio/opus' } });
const service = () => new RoomServiceClient(world.server.http, KEY, SECRET);

const sees = (venue, sid) => eventually('a moving picture', async () => (await venue.look(sid, 1000)).distinct >= 5, 30_000);

/** The parameters of Opus in the last answer. */
async function opus(venue) {
  return (await venue.answers()).findLast((line) => line.startsWith('a=fmtp:111 ')) ?? '';
}

for (const mode of ['single', 'dual']) {
  describe(`publishing (${mode})`, () => {
    it(`L-62 ${mode}: only codecs that are enabled are sent, whatever a client asks for`, async (t) => {
      const people = gathering(plain, t);
      const ada = await people.browser('ada', { mode });
      const ben = await people.browser('ben', { mode });
      await ada.setCamera(true, SMALL_CAMERA[0], { ...SMALL_CAMERA[1], videoCodec: 'vp9', backupCodec: false });
      const camera = await subscribed(ben, 'ada', 'camera');
      await sees(ben, camera);
      assert.equal((await ben.codecOf(camera)).toLowerCase(), 'video/vp8');
      const microphone = await ada.setMicrophone(true);
      await subscribed(ben, 'ada', 'microphone');
      assert.equal(await ada.sendsCodec(microphone), 'audio/opus', 'no RED');
      await eventually('ada is heard', async () => (await ben.listen(microphone, 1500)).loudest > 0.01);
    });

    it(`L-33 ${mode}: discontinuous transmission and stereo are answered as they were asked for`, async (t) => {
      const people = gathering(world, t);
      const [usual, music] = [await people.browser('usual', { mode, page: listensToAnswers() }), await people.browser('music', { mode, page: listensToAnswers() })];
      await usual.setMicrophone(true, undefined, { red: false });
      await music.setMicrophone(true, { channelCount: 2 }, { dtx: false, forceStereo: true, red: false });
      await eventually('usual is answered', async () => /usedtx=1/.test(await opus(usual)));
      assert.doesNotMatch(await opus(usual), /stereo=1/);
      await eventually('music is answered', async () => /stereo=1/.test(await opus(music)));
      assert.match(await opus(music), /maxaveragebitrate=510000/);
      assert.doesNotMatch(await opus(music), /usedtx=1/);
    });

    it(`L-24 L-41 ${mode}: what happens to somebody is told by their own object too`, async (t) => {
      const people = gathering(world, t);
      const ada = await people.browser('ada', { mode });
      const ben = await people.browser('ben', { mode });
      await eventually('ada is there', () => ben.other('ada'));
      await ben.watchParticipant('ada');
      await ada.setMicrophone(true);
      await happened(ben, 'participant trackPublished', 'ada', 'microphone');
      await happened(ben, 'participant trackSubscribed', 'ada');
      // The beep of the fake microphone is too short to be speech.
      await ada.simulate('speaker');
      await happened(ben, 'participant isSpeakingChanged', 'ada', true);
      await ada.setMicrophone(false);
      await happened(ben, 'participant trackMuted', 'ada', 'microphone');
      await ada.setMicrophone(true);
      await happened(ben, 'participant trackUnmuted', 'ada', 'microphone');
      await service().updateParticipant(people.room, 'ada', 'row 3');
      await happened(ben, 'participant metadataChanged', 'ada', 'row 3');
    });

    it(`L-35 L-26 ${mode}: a subscription that can't be had fails by name`, async (t) => {
      const people = gathering(world, t);
      const [ada, cleo] = [await people.browser('ada', { mode }), await people.browser('cleo', { mode })];
      const sids = [await ada.setCamera(true, ...SMALL_CAMERA), await cleo.setCamera(true, ...SMALL_CAMERA)];
      const ben = await people.browser('ben', { mode, connectOptions: { autoSubscribe: false } });
      await eventually('both are listed', async () => (await ben.others()).flatMap((each) => each.tracks).length === 2);
      await ben.setSubscribed(sids[0], true);
      await sees(ben, sids[0]);
      await ben.setSubscribed(sids[1], true);
      await happened(ben, 'trackSubscriptionFailed', 'cleo', sids[1]);
    });

    it(`L-67 ${mode}: a recorder is not seen, takes what there is, and the room says that it is recorded`, async (t) => {
      const people = gathering(world, t);
      const ada = await people.browser('ada', { mode });
      const camera = await ada.setCamera(true, ...SMALL_CAMERA);
      const recording = async () => (await service().listRooms([people.room]))[0].activeRecording;
      assert.equal(await recording(), false);
      const eve = await people.browser('eve', { mode, video: { recorder: true, hidden: true, canPublish: false } });
      await subscribed(eve, 'ada', 'camera');
      await sees(eve, camera);
      assert.equal(await recording(), true);
      assert.deepEqual(await ada.others(), []);
    });
  });
}
