/**
 * A stand-in for the server's signalling: enough of LiveKit's v1 path (one peer connection) for the page to be inside a
 * room with one other person. Its peer is a second page of the same Chromium, so transport and data channels are real.
 * Whether the page and Odeon understand each other is for e2e/ to show; this shows the page.
 */
import { gunzipSync } from "node:zlib";
import {
  DataPacket,
  JoinRequest,
  LeaveRequest,
  ParticipantInfo_State,
  SignalRequest,
  SignalResponse,
  TrackType,
  UserPacket,
  WrappedJoinRequest,
} from "@livekit/protocol";

const PERMISSION = { canSubscribe: true, canPublish: true, canPublishData: true };

export async function standIn(page, peer, { permission = PERMISSION } = {}) {
  const house = { joins: 0, log: [], published: [], heard: [], socket: null, say, tell, leave };
  await peer.exposeFunction("onPacket", (bytes) => house.heard.push(DataPacket.fromBinary(Uint8Array.from(bytes))));
  await peer.evaluate(openPeer);

  await page.routeWebSocket(/\/rtc\/v1/, async (socket) => {
    house.joins += 1;
    house.socket = socket;
    // What a page says while it is closed finds nobody any more.
    const gone = (error) => {
      if (!peer.isClosed()) throw error;
    };
    socket.onMessage((bytes) => void onRequest(SignalRequest.fromBinary(bytes).message).catch(gone));
    const request = joinRequestOf(new URL(socket.url()));
    tell({ case: "join", value: joinResponse(permission) });
    if (request.publisherOffer) await answer(request.publisherOffer);
  });

  async function onRequest({ case: kind, value }) {
    if (kind === "offer") await answer(value);
    else if (kind === "trickle") await peer.evaluate((c) => globalThis.hearCandidate(c), value.candidateInit);
    else if (kind === "pingReq") tell({ case: "pongResp", value: { lastPingTimestamp: value.timestamp, timestamp: value.timestamp } });
    else if (kind === "addTrack") publish(value);
  }

  function publish(request) {
    const track = { sid: `TR_${house.published.length}`, type: request.type, name: request.name, source: request.source, muted: request.muted };
    house.published.push(track);
    tell({ case: "trackPublished", value: { cid: request.cid, track } });
  }

  async function answer(offer) {
    const sdp = await peer.evaluate((sdp) => globalThis.answerTo(sdp), offer.sdp);
    tell({ case: "answer", value: { type: "answer", sdp, id: offer.id } });
  }

  /** A signal to the page. */
  function tell(message) {
    house.socket.send(Buffer.from(new SignalResponse({ message }).toBinary()));
  }

  /** A data packet from the other person. */
  async function say(topic, payload) {
    const user = new UserPacket({ topic, payload: new TextEncoder().encode(payload), participantSid: "PA_jaan", participantIdentity: "guest-jaan" });
    const packet = new DataPacket({ value: { case: "user", value: user }, participantSid: "PA_jaan", participantIdentity: "guest-jaan" });
    await peer.evaluate((bytes) => globalThis.send(bytes), [...packet.toBinary()]);
  }

  function leave(reason) {
    tell({ case: "leave", value: new LeaveRequest({ reason, action: 0 }) });
  }

  return house;
}

export const JAAN = {
  sid: "PA_jaan",
  identity: "guest-jaan",
  name: "Jaan",
  state: ParticipantInfo_State.ACTIVE,
  joinedAt: 1n,
  version: 1,
  permission: PERMISSION,
  tracks: [{ sid: "TR_jaan", type: TrackType.AUDIO, source: 2, muted: true }],
};

function joinResponse(permission) {
  return {
    room: { sid: "RM_1", name: "residence" },
    participant: { sid: "PA_mari", identity: "guest-mari", name: "Mari", state: ParticipantInfo_State.ACTIVE, joinedAt: 2n, permission },
    otherParticipants: [JAAN],
    serverVersion: "1.13.5",
    serverInfo: { version: "1.13.5", protocol: 16 },
    pingTimeout: 15,
    pingInterval: 5,
    enabledPublishCodecs: [{ mime: "video/VP8" }, { mime: "audio/opus" }],
  };
}

function joinRequestOf(url) {
  const wrapped = WrappedJoinRequest.fromBinary(Buffer.from(url.searchParams.get("join_request"), "base64url"));
  return JoinRequest.fromBinary(wrapped.compression === 1 ? gunzipSync(wrapped.joinRequest) : wrapped.joinRequest);
}

/** Runs in the peer's page. */
function openPeer() {
  let pc;
  let reliable;
  globalThis.answerTo = async (sdp) => {
    // A session that begins anew has another certificate: it needs a fresh peer connection.
    const fingerprint = /a=fingerprint:(\S+ \S+)/.exec(sdp)?.[1];
    if (pc?.theirs !== fingerprint) pc = fresh(fingerprint);
    await pc.setRemoteDescription({ type: "offer", sdp });
    await pc.setLocalDescription();
    while (pc.iceGatheringState !== "complete") await new Promise((resolve) => setTimeout(resolve, 10));
    return pc.localDescription.sdp;
  };
  function fresh(fingerprint) {
    const made = Object.assign(new RTCPeerConnection(), { theirs: fingerprint });
    made.ondatachannel = ({ channel }) => {
      channel.binaryType = "arraybuffer";
      if (channel.label === "_reliable") reliable = channel;
      channel.onmessage = ({ data }) => globalThis.onPacket([...new Uint8Array(data)]);
    };
    return made;
  }
  globalThis.hearCandidate = (json) => pc?.addIceCandidate(JSON.parse(json)).catch(() => {});
  globalThis.send = (bytes) => reliable.send(new Uint8Array(bytes));
}
