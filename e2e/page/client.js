// What the tests drive inside Chromium: the unmodified livekit-client and, around it, eyes and ears. A track counts as
// seen when its decoded pixels change, as heard when its decoded samples have energy.
import * as livekit from 'livekit-client';
import { dataApi } from './data.js';
import { encrypted } from './e2ee.js';

const LOG_LIMIT = 5000;

/** Everything that happened, in order: [milliseconds, event, ...details]. */
const log = [];
let room;

// livekit-client 1.x has other names for the same.
const others = () => room.remoteParticipants ?? room.participants;
const publications = (participant) => participant.trackPublications ?? participant.tracks;

function note(event, ...details) {
  log.push([Math.round(performance.now()), event, ...details]);
  if (log.length > LOG_LIMIT) throw new Error('the log of a test grew beyond all bounds');
}

function person(participant) {
  if (!participant) return null;
  const { sid, identity, name, metadata, attributes, connectionQuality, kind } = participant;
  const tracks = [...publications(participant).values()].map((publication) => ({
    sid: publication.trackSid,
    source: publication.source,
    kind: publication.kind,
    muted: publication.isMuted,
    subscribed: publication.isSubscribed ?? true,
    mime: publication.mimeType,
    simulcast: publication.simulcasted,
    encrypted: publication.isEncrypted,
  }));
  return { sid, identity, name, metadata, attributes: { ...attributes }, tracks, connectionQuality, kind };
}

const WATCHED = {
  participantConnected: (p) => [p.identity, p.sid],
  participantDisconnected: (p) => [p.identity, p.sid],
  trackPublished: (publication, p) => [p.identity, publication.source, publication.trackSid],
  trackUnpublished: (publication, p) => [p.identity, publication.source, publication.trackSid],
  trackSubscribed: (track, publication, p) => [p.identity, publication.source, publication.trackSid],
  trackUnsubscribed: (track, publication, p) => [p.identity, publication.source, publication.trackSid],
  trackSubscriptionPermissionChanged: (publication, status, p) => [p.identity, publication.trackSid, status],
  trackSubscriptionFailed: (sid, p) => [p.identity, sid],
  trackMuted: (publication, p) => [p.identity, publication.source, publication.trackSid],
  trackUnmuted: (publication, p) => [p.identity, publication.source, publication.trackSid],
  localTrackPublished: (publication) => [publication.source, publication.trackSid],
  localTrackUnpublished: (publication) => [publication.source, publication.trackSid],
  localTrackSubscribed: (publication) => [publication.source, publication.trackSid],
  participantMetadataChanged: (before, p) => [p.identity, before ?? '', p.metadata ?? ''],
  participantNameChanged: (name, p) => [p.identity, name],
  participantPermissionsChanged: (before, p) => [p.identity, p.permissions?.canPublish ?? null, p.permissions?.canSubscribe ?? null],
  participantAttributesChanged: (changed, p) => [p.identity, changed],
  roomMetadataChanged: (metadata) => [metadata],
  activeSpeakersChanged: (speakers) => [speakers.map((p) => p.identity)],
  connectionStateChanged: (state) => [state],
  connectionQualityChanged: (quality, p) => [p.identity, quality],
  moved: (name) => [name],
  disconnected: (reason) => [reason],
  reconnecting: () => [],
  reconnected: () => [],
  signalReconnecting: () => [],
  encryptionError: (error, p) => [p?.identity ?? null, error.message],
  mediaDevicesError: (error) => [String(error)],
};

function watch(events) {
  for (const [event, details] of Object.entries(WATCHED)) {
    events.on(event, (...args) => note(event, ...details(...args)));
  }
  events.on('dataReceived', (payload, from, kind, topic) => {
    note('dataReceived', from?.identity ?? null, new TextDecoder().decode(payload), kind, topic ?? null);
  });
}

function publicationOf(sid) {
  for (const participant of [...others().values(), room.localParticipant]) {
    const found = publications(participant).get(sid);
    if (found) return found;
  }
  throw new Error(`no track ${sid}`);
}

function trackOf(sid) {
  const track = publicationOf(sid).track;
  if (!track) throw new Error(`${sid} is not subscribed`);
  return track;
}

function delay(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A small picture of what a video element shows: mean colour, and a sum that differs from frame to frame. */
function glance(element, canvas) {
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(element, 0, 0, canvas.width, canvas.height);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
  const mean = [0, 0, 0];
  let sum = 0;
  for (let at = 0; at < pixels.length; at += 4) {
    for (let channel = 0; channel < 3; channel += 1) {
      mean[channel] += pixels[at + channel];
      sum = (sum * 31 + pixels[at + channel]) % 4294967291;
    }
  }
  return { mean: mean.map((value) => Math.round(value / (pixels.length / 4))), sum };
}

function selectedPath(stats) {
  const entries = [...stats.values()];
  const transport = entries.find((entry) => entry.type === 'transport');
  const pair = stats.get(transport?.selectedCandidatePairId);
  const [local, remote] = [stats.get(pair?.localCandidateId), stats.get(pair?.remoteCandidateId)];
  if (!local || !remote) return null;
  const { protocol, candidateType: kind, relayProtocol: relay = null } = local;
  return { protocol, kind, relay, port: remote.port, dtls: transport.dtlsState };
}

const chat = [];

const api = {
  livekitVersion: () => livekit.version,

  /** Joins; with a `passphrase` everything is encrypted from end to end. */
  async join(url, token, { passphrase, ...roomOptions } = {}, connectOptions = {}) {
    room = new livekit.Room({ ...roomOptions, ...(passphrase ? await encrypted(passphrase) : {}) });
    watch(room);
    if (passphrase) await room.setE2EEEnabled(true);
    await room.connect(url, token, connectOptions);
    return person(room.localParticipant);
  },

  /** Joins, and gives the error instead of failing. */
  async tryJoin(url, token, roomOptions = {}) {
    const attempt = new livekit.Room(roomOptions);
    try {
      await attempt.connect(url, token);
      await attempt.disconnect();
      return null;
    } catch (error) {
      return { name: error.name, reason: livekit.ConnectionErrorReason[error.reason] ?? null, status: error.status ?? null, message: error.message };
    }
  },

  /** Notes the events that somebody's own object gives, beside those of the room. */
  watchParticipant(identity) {
    const participant = [...others().values(), room.localParticipant].find((each) => each.identity === identity);
    for (const event of ['trackPublished', 'trackSubscribed', 'trackMuted', 'trackUnmuted', 'trackUnpublished']) {
      participant.on(event, (...args) => note(`participant ${event}`, identity, args.find((arg) => arg?.trackSid)?.source));
    }
    participant.on('isSpeakingChanged', (speaking) => note('participant isSpeakingChanged', identity, speaking));
    participant.on('participantMetadataChanged', () => note('participant metadataChanged', identity, participant.metadata));
  },

  leave: () => room.disconnect(),
  log: () => log,
  clearLog: () => void log.splice(0),
  now: () => performance.now(),
  me: () => person(room.localParticipant),
  others: () => [...others().values()].map(person),
  other: (identity) => person([...others().values()].find((participant) => participant.identity === identity)),
  roomInfo: () => ({ name: room.name, metadata: room.metadata, state: room.state }),

  enableCameraAndMicrophone: () => room.localParticipant.enableCameraAndMicrophone(),
  async setCamera(on, capture, publish) {
    const publication = await room.localParticipant.setCameraEnabled(on, capture, publish);
    return publication?.trackSid ?? null;
  },
  async setMicrophone(on, capture, publish) {
    const publication = await room.localParticipant.setMicrophoneEnabled(on, capture, publish);
    return publication?.trackSid ?? null;
  },
  /** A shared screen without the picker: a canvas that changes, published with the source of a screen. */
  async shareScreen() {
    const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 360 });
    const context = canvas.getContext('2d');
    let tick = 0;
    setInterval(() => {
      context.fillStyle = 'rgb(20, 60, 220)';
      context.fillRect(0, 0, 640, 360);
      context.fillStyle = 'white';
      context.fillRect((tick += 7) % 600, 100, 40, 40);
    }, 50);
    const [track] = canvas.captureStream(20).getVideoTracks();
    const publication = await room.localParticipant.publishTrack(track, { source: 'screen_share', name: 'screen' });
    return publication.trackSid;
  },
  async unpublish(sid) {
    await room.localParticipant.unpublishTrack(publicationOf(sid).track);
  },
  async mute(sid, muted) {
    const publication = publicationOf(sid);
    await (muted ? publication.mute() : publication.unmute());
  },
  /** Who may receive what we publish: livekit-client's own arguments. */
  allowSubscribers: (all, permissions) => room.localParticipant.setTrackSubscriptionPermissions(all, permissions),
  /** What our newest token says. */
  claims: () => JSON.parse(atob(room.engine.token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/'))),
  setVideoFps: (sid, fps) => publicationOf(sid).setVideoFPS(fps),
  setVideoQuality: (sid, quality) => publicationOf(sid).setVideoQuality(quality),
  setEnabled: (sid, enabled) => publicationOf(sid).setEnabled(enabled),
  /** Shows a track in an element of this size (CSS pixels), and in no other. */
  async showIn(sid, width, height) {
    const track = trackOf(sid);
    track.detach().forEach((element) => element.remove());
    const element = track.attach();
    element.muted = true;
    Object.assign(element.style, { width: `${width}px`, height: `${height}px`, position: 'fixed', left: '0', top: '0' });
    document.body.append(element);
    await Promise.race([element.play(), delay(1000)]);
  },
  /** Has this browser an encoder for a codec? */
  canEncode: (codec) => RTCRtpSender.getCapabilities('video').codecs.some(({ mimeType }) => mimeType.toLowerCase() === `video/${codec}`),
  /** Lines of the server's answers so far, if `listensToAnswers` was run before. */
  answers: () => window.answers ?? [],
  /** What a received track is coded in (getStats). */
  async codecOf(sid) {
    const report = await trackOf(sid).getRTCStatsReport();
    const entries = [...report.values()];
    const inbound = entries.find((entry) => entry.type === 'inbound-rtp');
    return entries.find((entry) => entry.id === inbound?.codecId)?.mimeType ?? '';
  },
  setSubscribed: (sid, subscribed) => publicationOf(sid).setSubscribed(subscribed),

  setMetadata: (text) => room.localParticipant.setMetadata(text),
  setName: (text) => room.localParticipant.setName(text),
  setAttributes: (attributes) => room.localParticipant.setAttributes(attributes),
  /** A call on the local participant that is expected to be refused. */
  async refused(method, ...args) {
    try {
      await room.localParticipant[method](...args);
      return null;
    } catch (error) {
      return `${error.name}: ${error.message}`;
    }
  },
  sendData(text, options) {
    const bytes = new TextEncoder().encode(text);
    if (livekit.version.startsWith('1.')) {
      const kind = options?.reliable ? livekit.DataPacket_Kind.RELIABLE : livekit.DataPacket_Kind.LOSSY;
      return room.localParticipant.publishData(bytes, kind, { topic: options?.topic });
    }
    return room.localParticipant.publishData(bytes, options);
  },

  /** Listens for chat as apps do: text streams on `lk.chat`, packets on `chat`, and Odeon's own changes. */
  listenToChat() {
    room.registerTextStreamHandler('lk.chat', async (reader, { identity }) => {
      const text = await reader.readAll();
      chat.push({ way: 'stream', id: reader.info.id, from: identity, text, name: reader.info.attributes?.name });
    });
    room.on('dataReceived', (payload, from, _kind, topic) => {
      const way = { chat: 'packet', 'odeon.chat': 'change' }[topic];
      if (way) chat.push({ way, from: from?.identity, text: new TextDecoder().decode(payload) });
    });
  },
  chatHeard: () => chat,

  /** The SDK's own faults: what its developers test reconnection with. */
  simulate: (scenario, argument) => room.simulateScenario(scenario, argument),

  /** Frames of a track decoded so far, every 100 ms for a while: [ms, frames]. */
  async frames(sid, ms) {
    const { receiver } = trackOf(sid);
    const series = [];
    const begin = performance.now();
    while (performance.now() - begin < ms) {
      const inbound = [...(await receiver.getStats()).values()].find((entry) => entry.type === 'inbound-rtp');
      series.push([Math.round(performance.now() - begin), inbound?.framesDecoded ?? 0]);
      await delay(100);
    }
    return series;
  },

  /** What Chromium says of a track: muted while nothing comes, ended for good. */
  trackState(sid) {
    const { readyState, muted, enabled, id } = trackOf(sid).mediaStreamTrack;
    return { readyState, muted, enabled, id };
  },

  /** Looks at a video for a while: frames that were shown, distinct ones, the mean colour, the decoder's counts. */
  async look(sid, ms) {
    const track = trackOf(sid);
    const element = track.attach();
    element.muted = true;
    document.body.append(element);
    await Promise.race([element.play(), delay(ms)]); // without a first frame it never begins
    const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 36 });
    const sums = new Set();
    let shown = 0;
    let mean = null;
    const end = performance.now() + ms;
    const step = () => {
      const seen = glance(element, canvas);
      shown += 1;
      sums.add(seen.sum);
      mean = seen.mean;
      if (performance.now() < end) element.requestVideoFrameCallback(step);
    };
    element.requestVideoFrameCallback(step);
    await delay(ms + 100);
    const size = [element.videoWidth, element.videoHeight];
    track.detach(element);
    element.remove();
    return { shown, distinct: sums.size, mean, size };
  },

  /** Listens for a while: the loudest 20 ms (RMS, 0..=1), the longest silence (ms), the strongest frequency. */
  async listen(sid, ms) {
    const track = trackOf(sid);
    const element = track.attach(); // Chromium feeds WebAudio only from streams that an element plays
    element.muted = true;
    const context = new AudioContext({ sampleRate: 48000 });
    await context.resume();
    const analyser = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0 });
    context.createMediaStreamSource(new MediaStream([track.mediaStreamTrack])).connect(analyser);
    const samples = new Float32Array(960);
    const bins = new Float32Array(analyser.frequencyBinCount);
    const power = new Float64Array(bins.length);
    let loudest = 0;
    let longestQuiet = 0;
    let quietSince = null;
    const end = performance.now() + ms;
    while (performance.now() < end) {
      await delay(20);
      analyser.getFloatTimeDomainData(samples);
      const rms = Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
      loudest = Math.max(loudest, rms);
      const now = performance.now();
      quietSince = rms < 0.001 ? (quietSince ?? now) : null;
      longestQuiet = Math.max(longestQuiet, quietSince === null ? 0 : now - quietSince);
      analyser.getFloatFrequencyData(bins);
      bins.forEach((decibel, bin) => (power[bin] += 10 ** (decibel / 10)));
    }
    await context.close();
    track.detach(element);
    element.remove();
    let strongest = 0;
    power.forEach((value, bin) => (strongest = value > power[strongest] ? bin : strongest));
    return { loudest, longestQuiet, hertz: (strongest * 48000) / 8192 };
  },

  /** The receiver's own counts (getStats, inbound-rtp). */
  async received(sid) {
    const report = await trackOf(sid).getRTCStatsReport();
    return [...report.values()].find((entry) => entry.type === 'inbound-rtp') ?? null;
  },
  /** The sender's own counts (getStats, outbound-rtp), one for each layer. */
  async sent(sid) {
    const report = await trackOf(sid).getRTCStatsReport();
    return [...report.values()].filter((entry) => entry.type === 'outbound-rtp');
  },
  /** The codec that a track of ours is sent in, as negotiated: `audio/red`, `video/VP8`. */
  sendsCodec: (sid) => trackOf(sid).sender.getParameters().codecs[0]?.mimeType.toLowerCase() ?? null,
  setVideoQuality: (sid, quality) => publicationOf(sid).setVideoQuality(quality),
  /** The codec of the pictures that come (getStats): `video/VP8`. */
  async decodes(sid) {
    const report = await trackOf(sid).getRTCStatsReport();
    const stream = [...report.values()].find((entry) => entry.type === 'inbound-rtp');
    return report.get(stream?.codecId)?.mimeType ?? null;
  },
  /** m-lines of the connections, as the browser has them. */
  sections() {
    const { publisher, subscriber } = room.engine.pcManager;
    const count = (transport) => transport?.getLocalDescription()?.sdp.match(/^m=/gm)?.length ?? 0;
    return { publisher: count(publisher), subscriber: count(subscriber) };
  },
  /** How media travels: for each connection the selected pair's protocol, and the kind of our candidate. */
  async paths() {
    const { publisher, subscriber } = room.engine.pcManager;
    const all = [publisher, subscriber].filter(Boolean).map((transport) => transport.getStats());
    return (await Promise.all(all)).map(selectedPath);
  },
  connectionState: () => room.state,
  mode: () => (room.engine.pcManager?.subscriber || room.engine.subscriber ? 'dual' : 'single'),
};

window.venue = Object.assign(api, dataApi(() => room, note));
