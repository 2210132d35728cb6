// RPC, data streams and data tracks of the unmodified livekit-client, for tests to drive.
import * as livekit from 'livekit-client';

/** The code and message of an RPC error, or the error's own name. */
async function outcome(call) {
  try {
    return { result: await call };
  } catch (error) {
    return { code: error.code ?? null, name: error.name, message: error.message, data: error.data ?? null };
  }
}

async function collect(reader) {
  const chunks = [];
  for await (const chunk of reader) chunks.push(chunk);
  return chunks;
}

/** A fingerprint of bytes that a test can make too. */
export async function digest(bytes) {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return [...hash].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The functions; `room` gives the page's room, `note` keeps an event. */
export function dataApi(room, note) {
  const published = new Map();
  const me = () => room().localParticipant;
  const remote = async (identity, name) => {
    for (let tries = 0; tries < 200; tries += 1) {
      const found = room().remoteParticipants.get(identity)?.dataTracks.get(name);
      if (found) return found;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error(`no data track ${name} of ${identity}`);
  };
  return {
    /** Methods that others may call: `echo` answers with the caller and the payload, `fail` with an error, `slow` late. */
    serveRpc() {
      room().registerRpcMethod('echo', async ({ callerIdentity, payload }) => JSON.stringify([callerIdentity, payload]));
      room().registerRpcMethod('fail', async () => {
        throw new livekit.RpcError(101, 'told to fail', 'why');
      });
      room().registerRpcMethod('broken', async () => {
        throw new Error('no RpcError');
      });
      room().registerRpcMethod('slow', () => new Promise((resolve) => setTimeout(() => resolve('late'), 20_000)));
    },
    rpc: (destinationIdentity, method, payload, responseTimeout) =>
      outcome(me().performRpc({ destinationIdentity, method, payload, ...(responseTimeout ? { responseTimeout } : {}) })),

    /** Sends on a channel with a label of the application's own. */
    async sendRaw(label, text) {
      const channel = room().engine.pcManager.publisher.createDataChannel(label, { ordered: true });
      if (channel.readyState !== 'open') await new Promise((resolve) => channel.addEventListener('open', resolve));
      channel.send(new TextEncoder().encode(text));
    },

    /** Notes every stream of this topic: what it said it was, and what came. */
    watchStreams(topic) {
      room().registerTextStreamHandler(topic, async (reader, { identity }) => {
        const text = (await collect(reader)).join('');
        note('text', identity, text.length, await digest(new TextEncoder().encode(text)), reader.info.attributes ?? {});
      });
      room().registerByteStreamHandler(topic, async (reader, { identity }) => {
        const bytes = new Uint8Array(await new Blob(await collect(reader)).arrayBuffer());
        note('bytes', identity, bytes.length, await digest(bytes), reader.info.name, reader.info.mimeType);
      });
    },
    sendText: (text, options) => me().sendText(text, options).then(() => {}),
    async streamText(parts, options) {
      const writer = await me().streamText(options);
      for (const part of parts) await writer.write(part);
      await writer.close();
    },
    async streamBytes(parts, options) {
      const writer = await me().streamBytes(options);
      for (const [byte, length] of parts) await writer.write(new Uint8Array(length).fill(byte));
      await writer.close();
    },
    async sendFile(name, byte, length, options) {
      const file = new File([new Uint8Array(length).fill(byte)], name, { type: 'application/x-test' });
      await me().sendFile(file, { mimeType: file.type, ...options });
    },

    /** Publishes a data track; its sid. */
    async publishDataTrack(name) {
      const track = await me().publishDataTrack({ name });
      published.set(name, track);
      return track.info.sid;
    },
    publishDataTrackRefused: (name) => outcome(me().publishDataTrack({ name })),
    pushFrames(name, frames, length) {
      const track = published.get(name);
      for (const byte of frames) track.tryPush({ payload: new Uint8Array(length).fill(byte) });
    },
    unpublishDataTrack: (name) => published.get(name).unpublish(),
    dataTracksOf: (identity) => [...(room().remoteParticipants.get(identity)?.dataTracks.keys() ?? [])],
    /** Subscribes, and notes every frame until the track ends. */
    async watchDataTrack(identity, name) {
      const reader = (await remote(identity, name)).subscribe().getReader();
      note('dataTrackWatched', identity, name);
      (async () => {
        for (;;) {
          const { done, value } = await reader.read();
          if (done) return note('dataTrackDone', identity, name);
          const { payload } = value;
          note('frame', identity, name, payload[0], payload.length, payload.every((byte) => byte === payload[0]));
        }
      })().catch((error) => note('dataTrackFailed', identity, name, String(error)));
    },
  };
}
