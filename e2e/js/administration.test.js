// RoomService's moderation by the unmodified livekit-server-sdk 2.19.2, on real clients in rooms.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { RoomServiceClient, TrackSource } from 'livekit-server-sdk';
import { eventually, happened, subscribed } from '../lib/browser.js';
import { SMALL_CAMERA, gathering, meeting } from '../lib/meeting.js';
import { KEY, SECRET } from '../lib/token.js';

const EVERYTHING = { canSubscribe: true, canPublish: true, canPublishData: true };

for (const mode of ['single', 'dual']) {
  describe(`moderation (${mode})`, () => {
    const world = meeting({ settings: { 'rtc.shards': 2 } });
    const service = () => new RoomServiceClient(world.server.http, KEY, SECRET);

    it(`L-06 L-55 ${mode}: MutePublishedTrack mutes the client, and only the client unmutes`, async (t) => {
      const people = gathering(world, t);
      const ada = await people.browser('ada', { mode });
      const ben = await people.browser('ben', { mode });
      const sid = await ada.setCamera(true, ...SMALL_CAMERA);
      await subscribed(ben, 'ada', 'camera');
      const muted = await service().mutePublishedTrack(people.room, 'ada', sid, true);
      assert.deepEqual([muted.sid, muted.muted], [sid, true]);
      await happened(ben, 'trackMuted', 'ada', 'camera', sid);
      await eventually('the client has muted itself', async () => (await ada.me()).tracks[0].muted);
      await assert.rejects(
        service().mutePublishedTrack(people.room, 'ada', sid, false),
        (error) => error.status === 412 && error.code === 'failed_precondition' && error.message.includes('remote unmute not enabled'),
      );
      await ada.mute(sid, false);
      await happened(ben, 'trackUnmuted', 'ada', 'camera', sid);
      await eventually('its picture', async () => (await ben.look(sid, 700)).distinct >= 3);
      await assert.rejects(service().mutePublishedTrack(people.room, 'ada', 'TR_none', true), (error) => error.status === 404);
    });

    it(`L-43 L-55 ${mode}: UpdateParticipant changes what is said of somebody`, async (t) => {
      const people = gathering(world, t);
      const ada = await people.browser('ada', { mode, access: { attributes: { old: '1' } } });
      const ben = await people.browser('ben', { mode });
      const shown = await service().updateParticipant(people.room, 'ada', { name: 'Ada L.', metadata: 'row 3', attributes: { old: '', seat: '7' } });
      assert.deepEqual([shown.name, shown.metadata, shown.attributes], ['Ada L.', 'row 3', { seat: '7' }]);
      for (const venue of [ada, ben]) {
        await happened(venue, 'participantNameChanged', 'ada', 'Ada L.');
        await happened(venue, 'participantMetadataChanged', 'ada', '', 'row 3');
        await happened(venue, 'participantAttributesChanged', 'ada');
      }
      assert.deepEqual((await ben.other('ada')).attributes, { seat: '7' });
      const claims = await eventually('the new token', async () => {
        const now = await ada.claims();
        return now.name === 'Ada L.' && now;
      });
      assert.deepEqual([claims.metadata, claims.attributes], ['row 3', { seat: '7' }]);
    });

    it(`L-06 L-67 ${mode}: revoked publishing ends the tracks, granted again they may come back`, async (t) => {
      const people = gathering(world, t);
      const ada = await people.browser('ada', { mode });
      const ben = await people.browser('ben', { mode });
      const sid = await ada.setCamera(true, ...SMALL_CAMERA);
      await subscribed(ben, 'ada', 'camera');
      await service().updateParticipant(people.room, 'ada', { permission: { ...EVERYTHING, canPublish: false } });
      await happened(ada, 'participantPermissionsChanged', 'ada', false, true);
      await happened(ben, 'trackUnpublished', 'ada', 'camera', sid);
      await happened(ada, 'localTrackUnpublished', 'camera', sid);
      assert.match(await ada.refused('setCameraEnabled', true), /insufficient permissions/);
      assert.equal((await ada.claims()).video.canPublish, false);
      await service().updateParticipant(people.room, 'ada', { permission: { ...EVERYTHING, canPublishSources: [TrackSource.CAMERA] } });
      await happened(ada, 'participantPermissionsChanged', 'ada', true, true);
      const again = await ada.setCamera(true, ...SMALL_CAMERA);
      await happened(ben, 'trackSubscribed', 'ada', 'camera', again);
      await eventually('its picture', async () => (await ben.look(again, 700)).distinct >= 3);
      assert.notEqual(await ada.refused('setMicrophoneEnabled', true), null, 'L-67: only cameras');
    });

    it(`L-06 L-67 ${mode}: revoked subscribing stops what is received, granted it comes by itself`, async (t) => {
      const people = gathering(world, t);
      const ada = await people.browser('ada', { mode });
      const ben = await people.browser('ben', { mode });
      const sid = await ada.setCamera(true, ...SMALL_CAMERA);
      await subscribed(ben, 'ada', 'camera');
      await service().updateParticipant(people.room, 'ben', { permission: { ...EVERYTHING, canSubscribe: false } });
      await happened(ben, 'trackUnsubscribed', 'ada', 'camera', sid);
      await ben.clearLog();
      await service().updateParticipant(people.room, 'ben', { permission: EVERYTHING });
      await happened(ben, 'trackSubscribed', 'ada', 'camera', sid);
      await eventually('its picture', async () => (await ben.look(sid, 700)).distinct >= 3);
    });

    it(`L-55 ${mode}: MoveParticipant sends somebody to another room, with what they publish`, async (t) => {
      const people = gathering(world, t);
      const elsewhere = `${people.room}-elsewhere`;
      const ada = await people.browser('ada', { mode });
      const ben = await people.browser('ben', { mode });
      const cleo = await people.browser('cleo', { mode, at: elsewhere });
      await ada.setCamera(true, ...SMALL_CAMERA);
      await subscribed(ben, 'ada', 'camera');
      await service().moveParticipant(people.room, 'ada', elsewhere);
      await happened(ada, 'moved', elsewhere);
      await happened(ben, 'participantDisconnected', 'ada');
      const sid = await subscribed(cleo, 'ada', 'camera');
      await eventually('its picture', async () => (await cleo.look(sid, 700)).distinct >= 3);
      assert.equal((await ada.claims()).video.room, elsewhere);
    });

    it(`L-55 ${mode}: ForwardParticipant shows somebody in another room too, with what they publish`, async (t) => {
      const people = gathering(world, t);
      const elsewhere = `${people.room}-elsewhere`;
      const ada = await people.browser('ada', { mode });
      const ben = await people.browser('ben', { mode });
      // On both shards, so that one of them receives by a relay.
      const cleo = await people.browser('cleo', { mode, at: elsewhere });
      const dan = await people.browser('dan', { mode, at: elsewhere });
      const camera = await ada.setCamera(true, ...SMALL_CAMERA);
      await subscribed(ben, 'ada', 'camera');
      await service().forwardParticipant(people.room, 'ada', elsewhere);
      for (const venue of [cleo, dan, ben]) {
        assert.equal(await subscribed(venue, 'ada', 'camera'), camera);
        await eventually('its picture', async () => (await venue.look(camera, 700)).distinct >= 3);
      }
      await ada.setMicrophone(true);
      await subscribed(cleo, 'ada', 'microphone');
      await ada.mute(camera, true);
      await happened(cleo, 'trackMuted', 'ada', 'camera', camera);
      await service().removeParticipant(elsewhere, 'ada');
      await happened(cleo, 'participantDisconnected', 'ada');
      assert.equal((await service().listParticipants(people.room)).length, 2, 'nobody has left the first room');
    });

    it(`L-36 ${mode}: UpdateSubscriptions chooses for somebody`, async (t) => {
      const people = gathering(world, t);
      const ada = await people.browser('ada', { mode });
      const ben = await people.browser('ben', { mode, connectOptions: { autoSubscribe: false } });
      const sid = await ada.setCamera(true, ...SMALL_CAMERA);
      await happened(ben, 'trackPublished', 'ada', 'camera', sid);
      await service().updateSubscriptions(people.room, 'ben', [sid], true);
      await happened(ben, 'trackSubscribed', 'ada', 'camera', sid);
      await eventually('its picture', async () => (await ben.look(sid, 700)).distinct >= 3);
      await service().updateSubscriptions(people.room, 'ben', [sid], false);
      await happened(ben, 'trackUnsubscribed', 'ada', 'camera', sid);
      await assert.rejects(service().updateSubscriptions(people.room, 'nobody', [sid], true), (error) => error.status === 404);
    });

    it(`L-55 ${mode}: UpdateRoomMetadata is told to everybody`, async (t) => {
      const people = gathering(world, t);
      const ada = await people.browser('ada', { mode });
      const room = await service().updateRoomMetadata(people.room, 'act 2');
      assert.equal(room.metadata, 'act 2');
      await happened(ada, 'roomMetadataChanged', 'act 2');
      assert.equal((await ada.roomInfo()).metadata, 'act 2');
    });

    it(`L-67 ${mode}: who is hidden goes out of sight and comes back`, async (t) => {
      const people = gathering(world, t);
      const ada = await people.browser('ada', { mode });
      const ben = await people.browser('ben', { mode });
      const sid = await ada.setCamera(true, ...SMALL_CAMERA);
      await subscribed(ben, 'ada', 'camera');
      await service().updateParticipant(people.room, 'ada', { permission: { ...EVERYTHING, hidden: true } });
      await happened(ben, 'participantDisconnected', 'ada');
      await ben.clearLog();
      await service().updateParticipant(people.room, 'ada', { permission: EVERYTHING });
      await happened(ben, 'trackSubscribed', 'ada', 'camera', sid);
      await eventually('its picture', async () => (await ben.look(sid, 700)).distinct >= 3);
    });

    it(`L-67 ${mode}: a publisher lets some receive its tracks, and others later`, async (t) => {
      const people = gathering(world, t);
      const ada = await people.browser('ada', { mode });
      const ben = await people.browser('ben', { mode });
      const cas = await people.browser('cas', { mode });
      const sid = await ada.setCamera(true, ...SMALL_CAMERA);
      await subscribed(ben, 'ada', 'camera');
      await subscribed(cas, 'ada', 'camera');
      await ada.allowSubscribers(false, [{ participantIdentity: 'ben', allowAll: true }]);
      await happened(cas, 'trackSubscriptionPermissionChanged', 'ada', sid, 'not_allowed');
      await happened(cas, 'trackUnsubscribed', 'ada', 'camera', sid);
      // A track that has only just come may have no numbers yet.
      const received = async () => (await ben.received(sid))?.packetsReceived ?? 0;
      const before = await received();
      await eventually('the others go on', async () => (await received()) > before + 10);
      await cas.clearLog();
      await ada.allowSubscribers(false, [{ participantIdentity: 'cas', allowedTrackSids: [sid] }]);
      await happened(ben, 'trackUnsubscribed', 'ada', 'camera', sid);
      await happened(cas, 'trackSubscribed', 'ada', 'camera', sid);
      await eventually('its picture', async () => (await cas.look(sid, 700)).distinct >= 3);
      await ada.allowSubscribers(true);
      await eventually('everybody again', async () => (await ben.other('ada')).tracks[0].subscribed);
    });
  });
}

describe('where the operator wants it', () => {
  const world = meeting({ settings: { 'room.enable_remote_unmute': true } });

  it('L-06: MutePublishedTrack unmutes too', async (t) => {
    const service = new RoomServiceClient(world.server.http, KEY, SECRET);
    const people = gathering(world, t);
    const ada = await people.browser('ada');
    const ben = await people.browser('ben');
    const sid = await ada.setMicrophone(true);
    await subscribed(ben, 'ada', 'microphone');
    await service.mutePublishedTrack(people.room, 'ada', sid, true);
    await happened(ben, 'trackMuted', 'ada', 'microphone', sid);
    await eventually('the client has muted itself', async () => (await ada.me()).tracks[0].muted);
    await delay(300);
    await service.mutePublishedTrack(people.room, 'ada', sid, false);
    await happened(ben, 'trackUnmuted', 'ada', 'microphone', sid);
    await eventually('sound', async () => (await ben.listen(sid, 700)).loudest > 0.01);
  });
});
