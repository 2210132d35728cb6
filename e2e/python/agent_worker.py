"""An agent on LiveKit's own framework, unmodified: `livekit-agents` 1.8.9. It greets the room with data, publishes a tone,
answers data, and stays until it is told to end. The server's address and the agent's name come in the environment.
"""

import asyncio
import os

import numpy as np
from livekit import rtc
from livekit.agents import AgentServer, JobContext, JobExecutorType

RATE, BLOCK = 48_000, 480

server = AgentServer(
    ws_url=os.environ["ODEON_WS"],
    api_key="devkey",
    api_secret="secret",
    # A process for each job would load the whole framework again.
    job_executor_type=JobExecutorType.THREAD,
    num_idle_processes=0,
    host="127.0.0.1",
    port=0,
    drain_timeout=2,
    # What else the machine does is not the test's.
    load_fnc=lambda: 0.0,
)


async def hum(source):
    """A tone, until cancelled; the source sets the pace."""
    at = 0
    while True:
        samples = (np.sin(2 * np.pi * 440 * (np.arange(BLOCK) + at) / RATE) * 12_000).astype(np.int16)
        await source.capture_frame(rtc.AudioFrame(samples.tobytes(), RATE, 1, BLOCK))
        at += BLOCK


async def entrypoint(ctx: JobContext):
    """One job."""
    room = ctx.room

    def answer(packet):
        text = f"echo {packet.data.decode()} [{ctx.job.metadata}]"
        asyncio.create_task(room.local_participant.publish_data(text.encode(), topic="echo"))

    room.on("data_received", answer)
    await ctx.connect()
    source = rtc.AudioSource(RATE, 1)
    track = rtc.LocalAudioTrack.create_audio_track("voice", source)
    await room.local_participant.publish_track(track, rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE))
    humming = asyncio.create_task(hum(source))

    async def stop():
        humming.cancel()

    ctx.add_shutdown_callback(stop)


server.rtc_session(entrypoint, agent_name=os.environ.get("AGENT_NAME", ""))

if __name__ == "__main__":
    asyncio.run(server.run(devmode=True))
