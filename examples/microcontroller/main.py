"""A sensor in a room: MicroPython on a small board (ESP32, Pico W). Copy it to the board as main.py.

It is a WebSocket in a few lines, because a board has no library for it; the same file runs with python3 on a computer, where
the sensor is made up: python3 main.py [HOST [PORT [ROOM]]].
"""
import json
import os
import socket
import sys
import time

WIFI = ("the network's name", "its password")
HOST, PORT, ROOM = "192.168.1.10", 7880, "residence"
EVERY_S = 0.5


def join_wifi():
    import network

    wifi = network.WLAN(network.STA_IF)
    wifi.active(True)
    wifi.connect(*WIFI)
    while not wifi.isconnected():
        time.sleep(0.2)


def open_sensor():
    """Gives a function that reads 0.0 to 1.0 from pin 34."""
    from machine import ADC, Pin

    pin = ADC(Pin(34))
    return lambda: pin.read_u16() / 65535


def open_socket(host, port):
    stream = socket.socket()
    stream.connect(socket.getaddrinfo(host, port)[0][-1])
    stream.send(
        (
            "GET / HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n" % (host, port)
        ).encode()
    )
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += stream.recv(1)
        if len(head) > 4096:
            raise OSError("that is no venue")
    if b" 101 " not in head.split(b"\r\n")[0]:
        raise OSError(head.split(b"\r\n")[0])
    return stream


def send_text(stream, text):
    """One frame, masked, as a client's must be (RFC 6455, 5.3)."""
    data, mask = text.encode(), os.urandom(4)
    size = bytes([0x80 | len(data)]) if len(data) < 126 else bytes([0xFE, len(data) >> 8, len(data) & 255])
    stream.send(b"\x81" + size + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))


def run(host, port, room, read_sensor):
    stream = open_socket(host, port)
    while True:
        message = {"type": "SENSOR", "channel": room, "userId": "board", "userName": "Board", "value": read_sensor()}
        send_text(stream, json.dumps(message))
        skip_what_came(stream)
        time.sleep(EVERY_S)


def skip_what_came(stream):
    """Everything comes back; what a board does not read would fill its buffers."""
    stream.setblocking(False)
    try:
        while stream.recv(512):
            pass
    except OSError:
        pass  # nothing more has come
    stream.setblocking(True)


if sys.implementation.name == "micropython":
    join_wifi()
    sensor = open_sensor()
    where = (HOST, PORT, ROOM)
else:
    given = sys.argv[1:] + ["127.0.0.1", "7880", "residence"][len(sys.argv) - 1 :]
    where = (given[0], int(given[1]), given[2])
    sensor = lambda: round(time.time() % 1, 3)

while True:
    try:
        run(*where, sensor)
    except OSError as error:
        print("again in two seconds:", error)
        time.sleep(2)
