"""A sketch on the bus with PyPI's websocket-client: python sketch.py URL FRAME COUNT. Sends the frame, prints what comes."""
import sys

import websocket

url, frame, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
socket = websocket.create_connection(url, timeout=10)
socket.send(frame)
for _ in range(count):
    print(socket.recv(), flush=True)
socket.close()
