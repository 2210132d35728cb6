// What whoever keeps it running relies on, with a real client in a room (L-70).
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { DisconnectReason } from 'livekit-client';
import { RoomServiceClient } from 'livekit-server-sdk';
import { eventually, happened } from '../lib/browser.js';
import { SMALL_CAMERA, gathering, meeting } from '../lib/meeting.js';
import { total } from '../lib/server.js';
import { KEY, SECRET, token } from '../lib/token.js';

const world = meeting({ settings: { drain_timeout: '3s' } });
const small = meeting({ settings: { 'limits.tracks': 2 } });
const service = () => new RoomServiceClient(world.server.http, KEY, SECRET);

it('L-70: health as load balancers and the SDKs ask for it', async () => {
  const { http } = world.server;
  const root = await fetch(http, { headers: { Accept: '*/*' } });
  assert.deepEqual([root.status, await root.text()], [200, 'OK']);
  assert.equal((await fetch(http, { method: 'HEAD' })).status, 200);
  for (const path of ['/healthz', '/readyz']) assert.equal((await fetch(http + path)).status, 200);
});

it('L-70: Prometheus sees rooms, people, tracks and packets under fixed names', async (t) => {
  const people = gathering(world, t);
  const ada = await people.browser('ada');
  const ben = await people.browser('ben');
  const sid = await ada.setCamera(true, ...SMALL_CAMERA);
  await happened(ben, 'trackSubscribed', 'ada', 'camera', sid);
  const page = await (await fetch(`${world.server.http}/metrics`)).text();
  for (const name of ['odeon_rooms', 'odeon_participants', 'odeon_livekit_sessions', 'odeon_peers', 'odeon_tracks']) {
    assert.match(page, new RegExp(`^# TYPE ${name} gauge$`, 'm'));
  }
  for (const name of ['odeon_http_requests_total', 'odeon_rtp_packets_in_total', 'odeon_rtp_packets_out_total']) {
    assert.match(page, new RegExp(`^# TYPE ${name} counter$`, 'm'));
  }
  for (const name of ['odeon_rtp_bytes_in_total', 'odeon_rtp_bytes_out_total', 'odeon_nacks_in_total', 'odeon_nacks_out_total', 'odeon_keyframes_wanted_total']) {
    assert.match(page, new RegExp(`^# TYPE ${name} counter$`, 'm'));
  }
  await service().listRooms();
  await assert.rejects(service().getParticipant(people.room, 'nobody'));
  await eventually('bytes are counted', async () => total(await world.server.metrics(), 'odeon_rtp_bytes_out_total') > 1_000);
  const metrics = await world.server.metrics();
  assert.ok(total(metrics, 'odeon_receivers') >= 1);
  assert.ok(metrics['odeon_join_seconds_bucket{le="5"}'] >= 2 && metrics.odeon_join_seconds_count >= 2);
  assert.ok(metrics['odeon_api_requests_total{method="RoomService/ListRooms",code="ok"}'] >= 1);
  assert.ok(metrics['odeon_api_requests_total{method="RoomService/GetParticipant",code="not_found"}'] >= 1);
  assert.ok(total(metrics, 'odeon_participants') >= 2 && total(metrics, 'odeon_rooms') >= 1);
  assert.ok(!page.includes(people.room) && !page.includes('ada'), 'no name of a room or a person is a label');
});

it('L-70: a server that carries as many tracks as it may sends newcomers away, and those who are in stay', async (t) => {
  const people = gathering(small, t);
  const ada = await people.browser('ada');
  const ben = await people.browser('ben');
  const sid = await ada.setCamera(true, ...SMALL_CAMERA);
  await happened(ben, 'trackSubscribed', 'ada', 'camera', sid);
  const cleo = await token(people.room, 'cleo');
  const answer = () => fetch(`${small.server.http}/rtc/validate?access_token=${cleo}`);
  await eventually('newcomers are sent away', async () => (await answer()).status === 503);
  assert.match(await (await answer()).text(), /carries as much as it may/);
});

// The last of this file: its server is gone after it.
it('L-70: SIGTERM drains: newcomers are sent away, those who are in are told, and it ends well', async (t) => {
  const people = gathering(world, t);
  const ada = await people.browser('ada');
  process.kill(world.server.pid, 'SIGTERM');
  const { http, ws } = world.server;
  for (;;) if ((await fetch(`${http}/readyz`)).status === 503) break;
  assert.equal((await fetch(http, { headers: { Accept: '*/*' } })).status, 503);
  const refused = await fetch(`${ws.replace('ws', 'http')}/rtc/validate?access_token=${await token(people.room, 'ben')}`);
  assert.equal(refused.status, 503);
  await happened(ada, 'disconnected', DisconnectReason.SERVER_SHUTDOWN);
});
