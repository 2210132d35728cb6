// Tokens as an app's backend makes them, by LiveKit's own SDK (L-07, L-49).
import { AccessToken } from 'livekit-server-sdk';

export const KEY = 'devkey';
export const SECRET = 'secret';

/** A token for `identity`; `video` adds to or replaces { room, roomJoin: true }; `options` are AccessToken's. */
export function token(room, identity, video = {}, options = {}) {
  const access = new AccessToken(KEY, SECRET, { identity, ...options });
  access.addGrant({ room, roomJoin: true, ...video });
  return access.toJwt();
}
