"""LiveKit's Python SDKs, unmodified: `livekit` 1.2.0 among themselves, `livekit-api` 1.2.2 against RoomService.

Each `test_…` is a scenario; `run` prints its name and time. The server's address comes in `ODEON_HTTP`.
"""

import asyncio
import os
import sys
import time
import traceback

from livekit import api
from livekit.api.twirp_client import TwirpError

from participant import Participant

KEY, SECRET = "devkey", "secret"
HTTP = os.environ["ODEON_HTTP"]
WS = HTTP.replace("http", "ws", 1)
SCENARIO_SECONDS = 60


def token(room, identity, **grants):
    """An access token."""
    video = api.VideoGrants(room_join=True, room=room, **grants)
    return api.AccessToken(KEY, SECRET).with_identity(identity).with_grants(video).to_jwt()


async def joined(room, identity, **grants):
    """A participant in a room."""
    participant = Participant()
    await participant.join(WS, token(room, identity, **grants))
    return participant


async def eventually(what, look, seconds=10):
    """Looks again and again until there is something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := await look():
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(f"not in {seconds} s: {what}")


async def test_l_01_two_python_participants_see_and_hear_each_other():
    """L-01, L-10, L-18, L-19."""
    ann, bob = await joined("py-media", "ann"), await joined("py-media", "bob")
    await ann.publish_video(20, 40, 210)
    await ann.publish_audio(440)
    seen = await bob.look("ann", 3)
    assert seen["frames"] >= 20 and seen["distinct"] >= 10, seen
    assert all(abs(got - sent) < 24 for got, sent in zip(seen["mean"], (20, 40, 210))), seen
    heard = await bob.listen("ann", 3)
    assert heard["loudest"] > 0.05 and abs(heard["hertz"] - 440) < 5, heard
    await ann.leave()
    await bob.leave()


async def test_l_06_l_36_l_43_moderation_by_livekit_api():
    """L-06, L-36, L-43, L-55."""
    ann, bob = await joined("py-admin", "ann"), await joined("py-admin", "bob")
    sid = await ann.publish_video(20, 40, 210)
    await bob.look("ann", 1)
    async with api.LiveKitAPI(HTTP, KEY, SECRET) as livekit:
        rooms = livekit.room
        choice = api.UpdateSubscriptionsRequest(room="py-admin", identity="bob", track_sids=[sid], subscribe=False)
        await rooms.update_subscriptions(choice)
        # This SDK has no event for a subscription that the server ends: the pictures stop.
        await eventually("the end of the pictures", lambda: nothing_of(bob, "ann"))
        muted = await rooms.mute_published_track(
            api.MuteRoomTrackRequest(room="py-admin", identity="ann", track_sid=sid, muted=True)
        )
        assert muted.track.muted, muted
        await eventually("the mute", lambda: has(bob, "track_muted", "ann", sid))
        shown = await rooms.update_participant(
            api.UpdateParticipantRequest(room="py-admin", identity="ann", name="Ann", attributes={"seat": "7"})
        )
        assert shown.name == "Ann" and dict(shown.attributes) == {"seat": "7"}, shown
        await eventually("the name", lambda: has(bob, "name", "ann", "Ann"))
        room = await rooms.update_room_metadata(api.UpdateRoomMetadataRequest(room="py-admin", metadata="act 2"))
        assert room.metadata == "act 2"
        try:
            choice.identity = "nobody"
            await rooms.update_subscriptions(choice)
            raise AssertionError("nobody was found")
        except TwirpError as error:
            assert error.code == "not_found" and error.status == 404, error
    await ann.leave()
    await bob.leave()


async def nothing_of(participant, identity):
    """Does no picture of somebody come any more?"""
    return (await participant.look(identity, 0.5))["frames"] == 0


async def has(participant, *event):
    """Is there an entry that begins so?"""
    return any(entry[: len(event)] == list(event) for entry in participant.log)


async def test_l_11_mute_unpublish_and_leave_are_told():
    """L-11, L-27, L-40."""
    ann, bob = await joined("py-mute", "ann"), await joined("py-mute", "bob")
    sid = await ann.publish_audio(440)
    await bob.track_of("ann", 1)

    async def saw(*entry):
        return any(event[: len(entry)] == list(entry) for event in bob.log)

    await ann.mute(sid, True)
    await eventually("muted", lambda: saw("track_muted", "ann", sid))
    await ann.mute(sid, False)
    await eventually("unmuted", lambda: saw("track_unmuted", "ann", sid))
    await ann.unpublish(sid)
    await eventually("unpublished", lambda: saw("track_unpublished", "ann", sid))
    await ann.leave()
    await eventually("gone", lambda: saw("participant_disconnected", "ann"))
    await bob.leave()


async def test_l_16_the_same_identity_again_ends_the_first():
    """L-16."""
    first, second = await joined("py-twin", "twin"), await joined("py-twin", "twin")

    async def ended():
        return any(event[0] == "disconnected" for event in first.log)

    await eventually("the first is told", ended)
    await second.leave()


async def test_l_22_without_auto_subscribe_nothing_comes():
    """L-20, L-21."""
    ann = await joined("py-choice", "ann")
    sid = await ann.publish_audio(440)
    bob = Participant()
    await bob.join(WS, token("py-choice", "bob"), auto_subscribe=False)
    await asyncio.sleep(0.5)
    [known] = await bob.others()
    assert [(t["sid"], t["subscribed"]) for t in known["tracks"]] == [(sid, False)], known
    bob.room.remote_participants["ann"].track_publications[sid].set_subscribed(True)
    heard = await bob.listen("ann", 2)
    assert heard["loudest"] > 0.05, heard
    await ann.leave()
    await bob.leave()


async def test_l_55_room_service_by_livekit_api():
    """L-13, L-53, L-54, L-55."""
    async with api.LiveKitAPI(HTTP, KEY, SECRET) as service:
        made = await service.room.create_room(api.CreateRoomRequest(name="py-api", empty_timeout=60, metadata="m"))
        assert made.sid.startswith("RM_") and made.metadata == "m", made
        ann = await joined("py-api", "ann")
        rooms = (await service.room.list_rooms(api.ListRoomsRequest(names=["py-api"]))).rooms
        assert [(room.sid, room.num_participants) for room in rooms] == [(made.sid, 1)], rooms
        people = (await service.room.list_participants(api.ListParticipantsRequest(room="py-api"))).participants
        assert [person.identity for person in people] == ["ann"], people
        one = await service.room.get_participant(api.RoomParticipantIdentity(room="py-api", identity="ann"))
        assert one.sid == people[0].sid
        await service.room.remove_participant(api.RoomParticipantIdentity(room="py-api", identity="ann"))

        async def ended():
            return any(event[0] == "disconnected" for event in ann.log)

        await eventually("removed", ended)
        await service.room.delete_room(api.DeleteRoomRequest(room="py-api"))
        assert not (await service.room.list_rooms(api.ListRoomsRequest(names=["py-api"]))).rooms


async def test_l_45_send_data_by_livekit_api():
    """L-45."""
    ann, bob = await joined("py-data", "ann"), await joined("py-data", "bob")
    async with api.LiveKitAPI(HTTP, KEY, SECRET) as service:
        for kind, how in ((0, "reliable"), (1, "lossy")):
            request = api.SendDataRequest(
                room="py-data", data=b"for ann", kind=kind, destination_identities=["ann"], topic="t"
            )
            await service.room.send_data(request)

            async def got(how=how):
                return ["data", None, "for ann", how, "t"] in ann.log

            await eventually(f"{how} data", got)
    assert not any(event[0] == "data" for event in bob.log), bob.log
    await ann.leave()
    await bob.leave()


async def test_l_54_a_wrong_secret_and_a_missing_room_are_told_apart():
    """L-53, L-54."""
    async with api.LiveKitAPI(HTTP, KEY, "another-secret-that-is-long-enough") as stranger:
        try:
            await stranger.room.list_rooms(api.ListRoomsRequest())
            raise AssertionError("a stranger may list rooms")
        except TwirpError as error:
            assert error.code == "unauthenticated", error
    async with api.LiveKitAPI(HTTP, KEY, SECRET) as service:
        try:
            await service.room.get_participant(api.RoomParticipantIdentity(room="py-none", identity="x"))
            raise AssertionError("somebody is in a room that there isn't")
        except TwirpError as error:
            assert error.code == "not_found", error


def run():
    """Runs every scenario; 1 if one failed."""
    scenarios = [(name, test) for name, test in sorted(globals().items()) if name.startswith("test_")]
    tally = open(os.environ.get("E2E_TALLY", os.devnull), "a")
    failed = 0
    for name, test in scenarios:
        began = time.monotonic()
        try:
            asyncio.run(asyncio.wait_for(test(), SCENARIO_SECONDS))
            outcome, trouble = "pass", ""
        except BaseException as error:  # a cancelled scenario is a failed one
            if isinstance(error, KeyboardInterrupt):
                raise
            outcome, trouble, failed = "FAIL", traceback.format_exc(), 1
        print(f"  {outcome} {time.monotonic() - began:6.1f} s  {name[5:].replace('_', ' ')}", flush=True)
        tally.write(f"{outcome}\n")
        tally.flush()
        if trouble:
            print("\n".join(f"         | {line}" for line in trouble.splitlines()), flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(run())
