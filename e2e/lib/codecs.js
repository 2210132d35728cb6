// Scripts for a page, run before anything else in it: a browser that lacks a codec.

/** `page` option of gathering's browser(): this browser receives none of these codecs (`audio/red`, `video/VP9`). */
export function receivesNo(...mimes) {
  return { before: { script: withoutCodecs, argument: mimes.map((mime) => mime.toLowerCase()) } };
}

function withoutCodecs(mimes) {
  const restrict = (transceiver) => {
    if (!['recvonly', 'inactive'].includes(transceiver.direction)) return;
    const { codecs } = RTCRtpReceiver.getCapabilities(transceiver.receiver.track.kind);
    transceiver.setCodecPreferences(codecs.filter((codec) => !mimes.includes(codec.mimeType.toLowerCase())));
  };
  const { createOffer, createAnswer } = RTCPeerConnection.prototype;
  RTCPeerConnection.prototype.createOffer = function offer(...args) {
    this.getTransceivers().forEach(restrict);
    return createOffer.apply(this, args);
  };
  RTCPeerConnection.prototype.createAnswer = function answer(...args) {
    this.getTransceivers().forEach(restrict);
    return createAnswer.apply(this, args);
  };
}

/** `page` option: keeps the lines of every answer that the server gives, for `answers()`. */
export function listensToAnswers() {
  return { before: { script: keepAnswers } };
}

function keepAnswers() {
  window.answers = [];
  const { setRemoteDescription } = RTCPeerConnection.prototype;
  RTCPeerConnection.prototype.setRemoteDescription = function (description) {
    if (description?.type === 'answer') window.answers.push(...description.sdp.split('\r\n'));
    return setRemoteDescription.call(this, description);
  };
}
