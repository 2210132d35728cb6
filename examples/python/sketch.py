"""Sends a number a second into a room and prints what everybody says there: python3 sketch.py [VENUE [ROOM]]."""
import json
import math
import sys
import threading
import time

import websocket  # pip install websocket-client

venue = sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:7880/"
room = sys.argv[2] if len(sys.argv) > 2 else "residence"


def send_numbers(app):
    started = time.time()
    while app.keep_running:
        value = round(math.sin(time.time() - started), 3)
        app.send(json.dumps({"type": "WAVE", "channel": room, "userId": "python", "userName": "Python", "value": value}))
        time.sleep(1)


def on_open(app):
    threading.Thread(target=send_numbers, args=(app,), daemon=True).start()


def on_message(app, text):
    try:
        message = json.loads(text)
    except ValueError:
        return  # others may send what is no JSON
    if isinstance(message, dict) and message.get("channel") == room:
        print(message.get("userName"), message.get("type"), message.get("value"), flush=True)


websocket.WebSocketApp(venue, on_open=on_open, on_message=on_message).run_forever(reconnect=2)
