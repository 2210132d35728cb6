// End-to-end encryption of the unmodified livekit-client, with its own worker.
import * as livekit from 'livekit-client';

/** The room's options for a key: what goes out is encrypted with it, what comes in decrypted. */
export async function encrypted(passphrase) {
  const keyProvider = new livekit.ExternalE2EEKeyProvider();
  await keyProvider.setKey(passphrase);
  return { encryption: { keyProvider, worker: new Worker('/e2ee.worker.js') } };
}
