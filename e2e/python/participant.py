"""A participant on LiveKit's Python SDK, unmodified, driven by lines of JSON on stdin; answers go to stdout.

It publishes pictures of one colour with a moving bar and a tone, and looks at decoded pixels and samples of what it
receives, not at events alone.
"""

import asyncio
import hashlib
import json
import sys

import numpy as np
from livekit import rtc

WIDTH, HEIGHT, FPS = 640, 360, 15
RATE, CHANNELS, BLOCK = 48_000, 1, 480
LOG_LIMIT = 5_000


class Participant:
    """One room, what was published into it, and what happened in it."""

    def __init__(self):
        self.room = None
        self.log = []
        self.tasks = {}
        self.data_tracks = {}
        self.seen_data_tracks = {}

    def note(self, event, *details):
        """Keeps an event, in order."""
        self.log.append([event, *details])
        if len(self.log) > LOG_LIMIT:
            raise RuntimeError("the log of a test grew beyond all bounds")

    def watch(self, room):
        """Notes every event that tests ask about."""
        room.on("participant_connected", lambda p: self.note("participant_connected", p.identity))
        room.on("participant_disconnected", lambda p: self.note("participant_disconnected", p.identity))
        for name in ("track_published", "track_unpublished"):
            room.on(name, lambda pub, p, name=name: self.note(name, p.identity, pub.sid, pub.kind))
        for name in ("track_subscribed", "track_unsubscribed"):
            room.on(name, lambda track, pub, p, name=name: self.note(name, p.identity, pub.sid, pub.kind))
        for name in ("track_muted", "track_unmuted"):
            room.on(name, lambda p, pub, name=name: self.note(name, p.identity, pub.sid))
        room.on("data_received", self.on_data)
        room.on("data_track_published", self.on_data_track)
        room.on("participant_metadata_changed", lambda p, old, new: self.note("metadata", p.identity, new))
        room.on("participant_name_changed", lambda p, old, new: self.note("name", p.identity, new))
        room.on("participant_attributes_changed", lambda changed, p: self.note("attributes", p.identity, dict(changed)))
        room.on("active_speakers_changed", lambda speakers: self.note("speakers", [p.identity for p in speakers]))
        room.on("disconnected", lambda reason: self.note("disconnected", reason))

    def on_data(self, packet):
        """Notes a data packet: who, what, how, on which topic."""
        sender = packet.participant.identity if packet.participant else None
        reliable = packet.kind == rtc.DataPacketKind.KIND_RELIABLE
        self.note("data", sender, packet.data.decode(), "reliable" if reliable else "lossy", packet.topic)

    def on_data_track(self, track):
        """Keeps somebody's data track, to be subscribed to."""
        self.seen_data_tracks[(track.publisher_identity, track.info.name)] = track
        self.note("data_track_published", track.publisher_identity, track.info.name)

    # ---- commands ----

    async def join(self, url, token, auto_subscribe=True, passphrase=None):
        """Joins with the SDK's defaults; with a passphrase everything is encrypted from end to end."""
        self.room = rtc.Room()
        self.watch(self.room)
        options = rtc.RoomOptions(auto_subscribe=auto_subscribe)
        if passphrase is not None:
            keys = rtc.KeyProviderOptions(shared_key=passphrase.encode())
            options.encryption = rtc.E2EEOptions(key_provider_options=keys)
        await self.room.connect(url, token, options=options)
        return {"sid": self.room.local_participant.sid, "identity": self.room.local_participant.identity}

    async def leave(self):
        """Disconnects."""
        for task in self.tasks.values():
            task.cancel()
        self.tasks.clear()
        await self.room.disconnect()

    async def publish_video(self, red, green, blue, simulcast=True):
        """Publishes pictures of this colour with a black bar that moves; in layers, as the SDK does by default."""
        source = rtc.VideoSource(WIDTH, HEIGHT)
        track = rtc.LocalVideoTrack.create_video_track("colour", source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_CAMERA, simulcast=simulcast)
        publication = await self.room.local_participant.publish_track(track, options)
        self.tasks[publication.sid] = asyncio.create_task(self.paint(source, (red, green, blue)))
        return publication.sid

    async def frames_sent(self):
        """Video frames that were encoded and sent up to now: the encoder leaves some out."""
        sent = 0
        for publication in self.room.local_participant.track_publications.values():
            if publication.kind == rtc.TrackKind.KIND_VIDEO:
                stats = await publication.track.get_stats()
                layers = [entry.outbound_rtp.outbound for entry in stats if entry.HasField("outbound_rtp")]
                sent += max((layer.frames_sent for layer in layers), default=0)
        return sent

    @staticmethod
    async def paint(source, colour):
        """Draws a frame every 1/15 s until cancelled."""
        number = 0
        while True:
            picture = np.empty((HEIGHT, WIDTH, 4), dtype=np.uint8)
            picture[:, :] = (*colour, 255)
            bar = number * 8 % (WIDTH - 16)
            picture[:, bar : bar + 16] = (0, 0, 0, 255)
            source.capture_frame(rtc.VideoFrame(WIDTH, HEIGHT, rtc.VideoBufferType.RGBA, picture.tobytes()))
            number += 1
            await asyncio.sleep(1 / FPS)

    async def publish_audio(self, hertz):
        """Publishes a tone."""
        source = rtc.AudioSource(RATE, CHANNELS)
        track = rtc.LocalAudioTrack.create_audio_track("tone", source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        publication = await self.room.local_participant.publish_track(track, options)
        self.tasks[publication.sid] = asyncio.create_task(self.hum(source, hertz))
        return publication.sid

    @staticmethod
    async def hum(source, hertz):
        """Feeds 10 ms blocks until cancelled; the source itself sets the pace."""
        at = 0
        while True:
            times = (np.arange(BLOCK) + at) / RATE
            samples = (np.sin(2 * np.pi * hertz * times) * 12_000).astype(np.int16)
            await source.capture_frame(rtc.AudioFrame(samples.tobytes(), RATE, CHANNELS, BLOCK))
            at += BLOCK

    async def unpublish(self, sid):
        """Stops publishing."""
        if task := self.tasks.pop(sid, None):
            task.cancel()
        await self.room.local_participant.unpublish_track(sid)

    async def mute(self, sid, muted):
        """Mutes or unmutes a track of its own."""
        track = self.room.local_participant.track_publications[sid].track
        if muted:
            track.mute()
        else:
            track.unmute()

    async def set_metadata(self, text):
        """Changes its own metadata."""
        await self.room.local_participant.set_metadata(text)

    async def set_name(self, text):
        """Changes its own name."""
        await self.room.local_participant.set_name(text)

    async def set_attributes(self, attributes):
        """Changes its own attributes."""
        await self.room.local_participant.set_attributes(attributes)

    async def send_data(self, text, reliable=True, to=(), topic=""):
        """Sends a data packet."""
        await self.room.local_participant.publish_data(
            text, reliable=reliable, destination_identities=list(to), topic=topic
        )

    async def serve_rpc(self):
        """Methods that others may call: `echo` answers with the caller and the payload, `fail` with an error."""

        async def echo(data):
            return json.dumps([data.caller_identity, data.payload], separators=(",", ":"))

        async def fail(data):
            raise rtc.RpcError(101, "told to fail", "why")

        self.room.local_participant.register_rpc_method("echo", echo)
        self.room.local_participant.register_rpc_method("fail", fail)

    async def rpc(self, identity, method, payload):
        """Calls somebody's method: the result, or the error's code."""
        try:
            result = await self.room.local_participant.perform_rpc(
                destination_identity=identity, method=method, payload=payload
            )
            return {"result": result}
        except rtc.RpcError as error:
            return {"code": error.code, "message": error.message, "data": error.data}

    async def watch_streams(self, topic):
        """Notes every stream of this topic: what it said it was, and what came."""

        async def read_text(reader, identity):
            text = await reader.read_all()
            self.note("text", identity, len(text), digest(text.encode()))

        async def read_bytes(reader, identity):
            content = b"".join([chunk async for chunk in reader])
            self.note("bytes", identity, len(content), digest(content), reader.info.name)

        keep = self.tasks.setdefault
        self.room.register_text_stream_handler(
            topic, lambda reader, identity: keep(reader, asyncio.create_task(read_text(reader, identity)))
        )
        self.room.register_byte_stream_handler(
            topic, lambda reader, identity: keep(reader, asyncio.create_task(read_bytes(reader, identity)))
        )

    async def send_text(self, text, topic, to=()):
        """Sends a text as a stream."""
        await self.room.local_participant.send_text(text, topic=topic, destination_identities=list(to))

    async def send_bytes(self, byte, length, name, topic):
        """Sends bytes as a stream."""
        writer = await self.room.local_participant.stream_bytes(name=name, total_size=length, topic=topic)
        await writer.write(bytes([byte]) * length)
        await writer.aclose()

    async def publish_data_track(self, name):
        """Publishes a data track."""
        self.data_tracks[name] = await self.room.local_participant.publish_data_track(name=name)
        return self.data_tracks[name].info.sid

    async def push_frames(self, name, frames, length):
        """Pushes a frame of equal bytes for each of these bytes."""
        for byte in frames:
            self.data_tracks[name].try_push(rtc.DataTrackFrame(payload=bytes([byte]) * length))

    async def unpublish_data_track(self, name):
        """Unpublishes a data track."""
        await self.data_tracks.pop(name).unpublish()

    async def watch_data_track(self, identity, name):
        """Subscribes, and notes every frame until the track ends."""
        for _ in range(200):
            track = self.seen_data_tracks.get((identity, name))
            if track:
                break
            await asyncio.sleep(0.05)
        else:
            raise RuntimeError(f"no data track {name} of {identity}")
        stream = track.subscribe()

        async def read():
            async for frame in stream:
                equal = frame.payload == frame.payload[:1] * len(frame.payload)
                self.note("frame", identity, name, frame.payload[0], len(frame.payload), equal)
            self.note("data_track_done", identity, name)

        self.tasks[name] = asyncio.create_task(read())

    async def events(self):
        """Everything that happened."""
        return self.log

    async def data_heads(self, length):
        """The beginning of each data packet that came, in order."""
        return [entry[2][:length] for entry in self.log if entry[0] == "data"]

    async def clear(self):
        """Forgets what happened."""
        self.log.clear()

    async def others(self):
        """The others, with their tracks."""
        return [describe(p) for p in self.room.remote_participants.values()]

    async def look(self, identity, seconds=2.0):
        """Decoded frames of somebody's video: how many, how many differ, their mean colour, the last one's size."""
        track = await self.track_of(identity, rtc.TrackKind.KIND_VIDEO)
        stream = rtc.VideoStream(track, format=rtc.VideoBufferType.RGBA)
        sums, mean, size, count = set(), None, None, 0
        async for event in until(stream, seconds):
            frame = event.frame
            pixels = np.frombuffer(frame.data, dtype=np.uint8).reshape(frame.height, frame.width, 4)[:, :, :3]
            small = pixels[::8, ::8]
            sums.add(hash(small.tobytes()))
            mean = [round(float(value)) for value in small.reshape(-1, 3).mean(axis=0)]
            size, count = [frame.width, frame.height], count + 1
        await stream.aclose()
        return {"frames": count, "distinct": len(sums), "mean": mean, "size": size}

    async def listen(self, identity, seconds=2.0):
        """Decoded sound of somebody: the loudest 20 ms (RMS, 0..=1), the strongest frequency, the longest silence."""
        track = await self.track_of(identity, rtc.TrackKind.KIND_AUDIO)
        stream = rtc.AudioStream(track, sample_rate=RATE, num_channels=CHANNELS)
        blocks = []
        async for event in until(stream, seconds):
            blocks.append(np.frombuffer(event.frame.data, dtype=np.int16).astype(np.float64) / 32_768)
        await stream.aclose()
        samples = np.concatenate(blocks) if blocks else np.zeros(0)
        return hear(samples)

    async def track_of(self, identity, kind):
        """Waits for somebody's subscribed track of this kind."""
        for _ in range(200):
            for participant in self.room.remote_participants.values():
                for publication in participant.track_publications.values():
                    if participant.identity == identity and publication.track and publication.kind == kind:
                        return publication.track
            await asyncio.sleep(0.05)
        raise RuntimeError(f"no track of kind {kind} from {identity}")


def digest(content):
    """A fingerprint of bytes."""
    return hashlib.sha256(content).hexdigest()


def hear(samples):
    """Loudness, pitch and silence of samples at 48 kHz."""
    window = RATE // 50
    if len(samples) < window:
        return {"seconds": len(samples) / RATE, "loudest": 0.0, "hertz": 0.0, "longest_silence_ms": 0}
    rms = np.sqrt((samples[: len(samples) // window * window].reshape(-1, window) ** 2).mean(axis=1))
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    hertz = float(np.argmax(spectrum) * RATE / len(samples))
    longest = run = 0
    for quiet in rms < 0.001:
        run = run + 1 if quiet else 0
        longest = max(longest, run)
    return {
        "seconds": len(samples) / RATE,
        "loudest": float(rms.max()),
        "hertz": hertz,
        "longest_silence_ms": longest * 20,
    }


def describe(participant):
    """What tests compare of a participant."""
    tracks = [
        {"sid": pub.sid, "kind": pub.kind, "source": pub.source, "muted": pub.muted, "subscribed": pub.subscribed}
        for pub in participant.track_publications.values()
    ]
    return {
        "sid": participant.sid,
        "identity": participant.identity,
        "name": participant.name,
        "metadata": participant.metadata,
        "attributes": dict(participant.attributes),
        "tracks": tracks,
    }


async def until(stream, seconds):
    """A stream's events for so long."""
    deadline = asyncio.get_running_loop().time() + seconds
    iterator = stream.__aiter__()
    while (left := deadline - asyncio.get_running_loop().time()) > 0:
        try:
            yield await asyncio.wait_for(iterator.__anext__(), left)
        except (asyncio.TimeoutError, StopAsyncIteration):
            return


async def answer(participant, request):
    """Runs one command and writes its result."""
    reply = {"id": request["id"]}
    try:
        reply["result"] = await getattr(participant, request["command"])(*request["args"])
    except Exception as error:  # every failure is the test's to judge
        reply["error"] = f"{type(error).__name__}: {error}"
    print(json.dumps(reply), flush=True)


async def main():
    """Reads commands until stdin ends."""
    participant = Participant()
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    running = set()
    while line := await reader.readline():
        task = asyncio.create_task(answer(participant, json.loads(line)))
        running.add(task)
        task.add_done_callback(running.discard)
    if participant.room:
        await participant.leave()


if __name__ == "__main__":
    asyncio.run(main())
