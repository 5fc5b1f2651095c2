#!/usr/bin/env python3
"""A server that hangs: it accepts connections on a free port of 127.0.0.1, which it writes to FILE, and never says a word."""
import os
import socket
import sys

listener = socket.create_server(("127.0.0.1", 0))
with open(sys.argv[1] + ".new", "w") as f:
    f.write(str(listener.getsockname()[1]))
os.rename(sys.argv[1] + ".new", sys.argv[1])
kept = []
while True:
    kept.append(listener.accept())
    with open(sys.argv[1] + ".accepted", "a") as f:
        f.write("one\n")
