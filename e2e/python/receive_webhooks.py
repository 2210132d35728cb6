"""Reads webhooks, one JSON object a line, with PyPI livekit-api's own receiver; prints what each says, or why not."""

import json
import sys

from livekit import api

RECEIVER = api.WebhookReceiver(api.TokenVerifier("devkey", "secret"))

for line in sys.stdin:
    hook = json.loads(line)
    try:
        event = RECEIVER.receive(hook["body"], hook["authorization"])
        print(event.event, event.room.name, event.participant.identity)
    except Exception as error:  # the SDK raises bare ones
        print(f"refused: {error}")
