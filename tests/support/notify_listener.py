#!/usr/bin/env python3
"""Plays the service manager's ear: writes what comes to a socket, one `<milliseconds> <text>` a line.

    notify_listener.py SOCKET LOG
"""
import socket
import sys
import time

listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(sys.argv[1])
with open(sys.argv[2], "w", encoding="utf-8", buffering=1) as log:
    while True:
        text = listener.recv(4096).decode()
        log.write(f"{time.monotonic_ns() // 1000000} {text}\n")
