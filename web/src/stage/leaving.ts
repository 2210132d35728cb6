/** What LiveKit's errors and goodbyes mean to people. */
import { ConnectionError, ConnectionErrorReason, DisconnectReason } from "livekit-client";
import type { Trouble } from "@/lib/trouble";

/** Why connecting failed. */
export function troubleOfConnect(error: unknown): Trouble {
  if (!(error instanceof ConnectionError)) return "serverFault";
  switch (error.reason) {
    case ConnectionErrorReason.NotAllowed:
      return error.status === 404 ? "notOpen" : "badInvitation";
    case ConnectionErrorReason.LeaveRequest:
      return troubleOfLeave(error.context as DisconnectReason);
    case ConnectionErrorReason.InternalError:
      return troubleOfInternal(error);
    default:
      return "serverDown";
  }
}

/** livekit-client tells these apart by the HTTP status of its check, and a failed peer connection by its words only. */
function troubleOfInternal(error: ConnectionError): Trouble {
  const status = (error.context as { status?: number } | undefined)?.status;
  if (status === 503) return "full";
  return /could not establish/i.test(error.message) ? "mediaBlocked" : "serverFault";
}

/** Why the server let go of somebody. */
export function troubleOfLeave(reason: DisconnectReason | undefined): Trouble {
  switch (reason) {
    case DisconnectReason.DUPLICATE_IDENTITY:
      return "elsewhere";
    case DisconnectReason.PARTICIPANT_REMOVED:
      return "removed";
    case DisconnectReason.ROOM_DELETED:
    case DisconnectReason.ROOM_CLOSED:
      return "roomEnded";
    case DisconnectReason.SERVER_SHUTDOWN:
      return "closing";
    default:
      return "lost";
  }
}

/** Whether knocking again by itself may help: nobody meant us to leave. */
export function isPassing(trouble: Trouble): boolean {
  return ["closing", "lost", "serverDown", "full", "slowDown"].includes(trouble);
}
