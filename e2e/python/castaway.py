"""python-socketio, unmodified: a streamer, and listeners by each transport. castaway.py URL TOKEN LIVESTREAM"""

import sys
import threading

import socketio

URL, TOKEN, LIVESTREAM = sys.argv[1:4]
AUTH = {"id-token": TOKEN, "livestream-id": LIVESTREAM}
SOUND = bytes([0, 1, 254, 255])


def client(namespace, transports):
    sio = socketio.Client(reconnection=False)
    welcomed, heard = threading.Event(), threading.Event()
    sio.on("success", lambda text: welcomed.set(), namespace=namespace)
    sio.on("error", lambda text: print("error", text), namespace=namespace)
    sio.on("audio", lambda payload: payload == SOUND and heard.set(), namespace=namespace)
    sio.connect(URL, namespaces=[namespace], auth=AUTH, transports=transports)
    assert welcomed.wait(10), "nobody welcomed me"
    return sio, heard


streamer, _ = client("/streamer", ["websocket"])
print("streaming")
ways = {"polling": ["polling"], "websocket": ["websocket"], "upgrade": ["polling", "websocket"]}
listeners = {way: client("/listener", transports) for way, transports in ways.items()}
sys.stdin.readline()
streamer.emit("upload", SOUND, namespace="/streamer")
for way, (sio, heard) in listeners.items():
    assert heard.wait(10), f"{way} heard nothing"
    print(way, "heard")
for sio, _ in [*listeners.values(), (streamer, None)]:
    sio.disconnect()
