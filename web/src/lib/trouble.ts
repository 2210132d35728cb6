/**
 * What can go wrong, in the words of those it happens to. Each code has a title and a remedy in every language
 * (i18n `trouble.CODE.title` and `.remedy`). Nothing else of an error reaches the screen.
 */
export const TROUBLES = [
  "serverDown",
  "serverFault",
  "full",
  "slowDown",
  "notOpen",
  "badInvitation",
  "refused",
  "badName",
  "nameTaken",
  "insecure",
  "oldBrowser",
  "permission",
  "noMicrophone",
  "noCamera",
  "deviceBusy",
  "deviceFault",
  "mediaBlocked",
  "removed",
  "roomEnded",
  "elsewhere",
  "closing",
  "lost",
  "publishFault",
  "mayNotPublish",
  "screenFault",
  "chatFault",
  "chatRefused",
  "audienceFault",
] as const;

export type Trouble = (typeof TROUBLES)[number];

/** What the answer of POST /api/rooms/:room/join means for whoever asked. `invited`: a token was shown. */
export function troubleOfStatus(status: number, invited: boolean): Trouble {
  switch (status) {
    case 400:
    case 413:
    case 422:
      return "badName";
    case 401:
      return invited ? "badInvitation" : "notOpen";
    case 403:
      return invited ? "badInvitation" : "refused";
    case 404:
      return invited ? "badInvitation" : "notOpen";
    case 409:
      return "nameTaken";
    case 429:
      return "slowDown";
    case 502:
    case 504:
      return "serverDown";
    case 503:
      return "full";
    default:
      return "serverFault";
  }
}

export type DeviceKind = "microphone" | "camera";

/** What a refusal of getUserMedia means (Media Capture and Streams, section 9.2 «getUserMedia()»). */
export function troubleOfDevice(error: unknown, kind: DeviceKind): Trouble {
  switch (nameOf(error)) {
    case "NotAllowedError":
    case "SecurityError":
      return "permission";
    case "NotFoundError":
    case "OverconstrainedError":
      return kind === "camera" ? "noCamera" : "noMicrophone";
    case "NotReadableError":
    case "AbortError":
      return "deviceBusy";
    default:
      return "deviceFault";
  }
}

function nameOf(error: unknown): string {
  return typeof error === "object" && error !== null && "name" in error ? String(error.name) : "";
}
