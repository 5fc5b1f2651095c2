#!/usr/bin/env python3
"""An HTTP server for tests, on a free port of 127.0.0.1, which it writes to FOLDER/port.

What it answers is told by the path; each request becomes a line of JSON in FOLDER/requests. With FOLDER/cert.pem and key.pem it speaks TLS.

    /status/503            that status                     /slow/1500        the same as /ok, after that many ms
    /after/2/429/1         429 with "Retry-After: 1" until the second request of this path, then 200
    /echo                  the request's headers and body, as JSON
    /json                  what FOLDER/answer.json holds    /redirect/PATH    302 to /PATH
    /to/307/PATH           that status, to /PATH            /away/302/PATH    to /PATH of this server by its other name, localhost
    /reset/N               a whole answer of N bytes, and then a reset, with the request's body not read
    /lengths/5/10          a Content-Length header of each, and five bytes
    /endless               bytes without an end             /partial          fewer bytes than it says
    /close                 closes without an answer         /rubbish          something that is not HTTP
    /huge                  two megabytes
    anything else          200 "ok"
"""
import collections
import fcntl
import http.server
import json
import os
import socket
import ssl
import struct
import sys
import threading
import termios
import time

folder = sys.argv[1]
log = open(os.path.join(folder, "requests"), "a", buffering=1)
lock = threading.Lock()
seen = collections.Counter()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def note(self):
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        with lock:
            seen[self.path] += 1
            self.times = seen[self.path]
            log.write(json.dumps({"at": time.time(), "method": self.command, "path": self.path, "body": self.body,
                                  "headers": {k.lower(): v for k, v in self.headers.items()}}) + "\n")

    def reply(self, status, body="ok", **headers):
        data = b"" if status in (204, 304) else body.encode()  # these have no body (RFC 9110 6.4.1)
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def raw(self, data):
        self.wfile.write(data)
        self.wfile.flush()
        self.close_connection = True

    def reset(self, size):
        """A whole answer; the connection is then ended by a reset, as by servers that do not read what they refuse."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size)
        self.wfile.flush()
        while struct.unpack("i", fcntl.ioctl(self.connection, termios.TIOCOUTQ, b"\0\0\0\0"))[0]:
            time.sleep(0.001)  # a reset throws away what the client's side has not confirmed
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def answer(self):
        name, *rest = self.path.split("?")[0].strip("/").split("/")
        if name == "reset":
            self.reset(int(rest[0]))
            return
        self.note()
        if name == "status":
            self.reply(int(rest[0]), "because of " + "x" * 20)
        elif name == "slow":
            time.sleep(int(rest[0]) / 1000)
            self.reply(200)
        elif name == "after":
            if self.times < int(rest[0]):
                self.reply(int(rest[1]), "not yet", Retry_After=rest[2])
            else:
                self.reply(200)
        elif name == "echo":
            self.reply(int(rest[0]) if rest else 200, json.dumps({"headers": dict(self.headers), "body": self.body}))
        elif name == "json":
            self.reply(200, open(os.path.join(folder, "answer.json")).read(), Content_Type="application/json")
        elif name == "redirect":
            self.reply(302, "", Location="/" + "/".join(rest))
        elif name == "to":
            self.reply(int(rest[0]), "", Location="/" + "/".join(rest[1:]))
        elif name == "away":
            self.reply(int(rest[0]), "", Location=f"http://localhost:{server.server_address[1]}/" + "/".join(rest[1:]))
        elif name == "lengths":
            self.raw(b"HTTP/1.1 200 OK\r\n" + b"".join(b"Content-Length: %s\r\n" % n.encode() for n in rest) + b"\r\n12345")
        elif name == "endless":
            self.raw(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
            try:
                while True:
                    self.wfile.write(b"x" * 1000)
                    time.sleep(0.01)
            except OSError:
                pass
        elif name == "huge":
            self.reply(200, "x" * 2_000_000)
        elif name == "partial":
            self.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
        elif name == "close":
            self.close_connection = True
        elif name == "rubbish":
            self.raw(b"\x00\x01 this is not HTTP \xff\r\n\r\n")
        else:
            self.reply(200)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *_):
        pass


server = Server(("127.0.0.1", 0), Handler)
certificate = os.path.join(folder, "cert.pem")
if os.path.exists(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, os.path.join(folder, "key.pem"))
    server.socket = context.wrap_socket(server.socket, server_side=True)
with open(os.path.join(folder, "port.new"), "w") as f:
    f.write(str(server.server_address[1]))
os.rename(os.path.join(folder, "port.new"), os.path.join(folder, "port"))
server.serve_forever()
