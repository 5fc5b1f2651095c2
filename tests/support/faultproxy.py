#!/usr/bin/env python3
"""A proxy with faults, between a client and a server on unix sockets or TCP.

    faultproxy.py serve LISTEN SERVER CONTROL   until it is ended; each address is /a/path or host:port
    faultproxy.py ask CONTROL COMMAND…          one command; prints the answer, exit code 1 when it was refused

Commands. A fault with a PATTERN waits for the next request that contains these bytes (\\xNN and the like are understood) and strikes its
connection alone, once unless COUNT says more. `now` stands for all connections that are open at this moment.

    pass                           no fault any more; connections that lost bytes stay as they are, new ones work
    delay MS                       each piece of a reply comes so much later, until `pass`
    swallow                        bytes go nowhere, both ways, on old and new connections, which stay open; until `pass`
    drop-reply PATTERN [close|silent] [COUNT]
                                   the server gets the request and answers; the answer does not reach the client. Then the connection
                                   is closed, or stays open and says nothing more
    reset now|PATTERN [COUNT]      the connection breaks: RST on TCP, an abrupt close on a unix socket; the request is not passed on
    half-close now|PATTERN [COUNT] the client reads the end of the stream; what it still writes reaches the server
    late PATTERN [AFTER]           the request is kept and the client's connection broken. When a later request on another connection
                                   contains AFTER (default: PATTERN) and has been answered, the kept bytes reach the server, on the
                                   connection they were written to
    fired FAULT                    how often it struck: pieces for delay and swallow, connections for the others; a late one counts
                                   when its bytes have been sent to the server and it has answered them
    open                           connections that are open

drop-reply counts when the answer has come from the server, so a count says that the request was executed. To be seen by it, a request
must not be encrypted.
"""
import asyncio
import contextlib
import shlex
import socket
import struct
import sys

PIECE = 65536
PATTERN_MAX = 256
QUIET_S = 0.05  # the server has said all that it had to say to a request


def split_address(address):
    """(path, None) or (host, port)"""
    if address.startswith("/"):
        return address, None
    host, port = address.rsplit(":", 1)
    return host, int(port)


async def connect(address):
    host, port = split_address(address)
    return await (asyncio.open_unix_connection(host) if port is None else asyncio.open_connection(host, port))


async def listen(handle, address):
    host, port = split_address(address)
    return await (asyncio.start_unix_server(handle, host) if port is None else asyncio.start_server(handle, host, port))


def break_off(writer):
    """Closes without a goodbye: RST on TCP."""
    sock = writer.get_extra_info("socket")
    if sock is not None and sock.family != socket.AF_UNIX:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class Armed:
    """A fault that waits for its pattern."""

    def __init__(self, name, pattern, count, how, after):
        self.name, self.pattern, self.count = name, pattern, count
        self.how, self.after = how, after  # of drop-reply; of late


class Late:
    """A request that waits to be late."""

    def __init__(self, after, link, data):
        self.after, self.link, self.data = after, link, data


class Faults:
    """What is asked for, and what has happened."""

    NAMES = ("delay", "swallow", "drop-reply", "reset", "half-close", "late")

    def __init__(self):
        self.fired = dict.fromkeys(self.NAMES, 0)
        self.armed, self.delay_ms, self.swallow = [], 0, False
        self.late = None
        self.links = set()

    def take(self, before, data):
        """The armed fault that `data`, which follows `before`, sets off; None: no one."""
        for fault in self.armed:
            tail = before[-(len(fault.pattern) - 1):] if len(fault.pattern) > 1 else b""
            if fault.pattern in tail + data:
                fault.count -= 1
                if fault.count == 0:
                    self.armed.remove(fault)
                return fault
        return None


class Link:
    """One client's connection, and the one to the server that belongs to it."""

    def __init__(self, faults, client, server):
        self.faults = faults
        self.client_in, self.client_out = client
        self.server_in, self.server_out = server
        self.dropping = ""  # "close" or "silent": the fate of the reply that comes next
        self.mute = False  # bytes were lost: nothing passes any more, either way
        self.alone = False  # the client was cut off; the server's side goes on
        self.late_sent = False
        self.releases = False  # when the reply comes, the late bytes go

    async def run(self):
        self.faults.links.add(self)
        requests, replies = asyncio.create_task(self.requests()), asyncio.create_task(self.replies())
        try:
            await asyncio.wait((requests, replies), return_when=asyncio.FIRST_COMPLETED)
            if self.alone:
                await replies
        finally:
            self.faults.links.discard(self)
            for task in (requests, replies):
                task.cancel()
            await asyncio.gather(requests, replies, return_exceptions=True)
            self.client_out.close()
            self.server_out.close()

    async def requests(self):
        before = b""
        with contextlib.suppress(ConnectionError):
            while data := await self.client_in.read(PIECE):
                if self.loses():
                    continue
                fault = self.faults.take(before, data)
                if fault and not self.strike(fault, data):
                    return
                before = (before + data)[-PATTERN_MAX:]
                late = self.faults.late
                self.releases = self.releases or bool(late and late.after in before)
                self.server_out.write(data)
                await self.server_out.drain()

    async def replies(self):
        with contextlib.suppress(ConnectionError):
            while data := await self.server_in.read(PIECE):
                if self.dropping:
                    self.faults.fired["drop-reply"] += 1
                    if self.dropping == "close":
                        self.cut_off_client()
                        await self.hear_server_out()
                        return
                    self.dropping, self.mute = "", True
                elif self.late_sent:
                    self.faults.fired["late"] += 1
                    await self.hear_server_out()
                    return
                elif not self.alone and not self.loses():
                    await self.answer(data)

    async def answer(self, data):
        if self.faults.delay_ms:
            self.faults.fired["delay"] += 1
            await asyncio.sleep(self.faults.delay_ms / 1000)
        self.client_out.write(data)
        await self.client_out.drain()
        if self.releases and self.faults.late:
            late, self.faults.late = self.faults.late, None
            late.link.late_sent = True
            late.link.server_out.write(late.data)
        self.releases = False

    def loses(self):
        if self.faults.swallow:
            self.faults.fired["swallow"] += 1
            self.mute = True
        return self.mute

    def strike(self, fault, data):
        """Is the request to be passed on?"""
        if fault.name == "drop-reply":
            self.dropping = fault.how
            return True
        if fault.name == "late":
            self.faults.late = Late(fault.after, self, data)
            self.cut_off_client()
            return False
        self.strike_now(fault.name)
        return fault.name == "half-close"

    def strike_now(self, name):
        self.faults.fired[name] += 1
        if name == "half-close":
            self.client_out.write_eof()
        else:
            break_off(self.client_out)

    def cut_off_client(self):
        self.alone = True
        break_off(self.client_out)

    async def hear_server_out(self):
        with contextlib.suppress(asyncio.TimeoutError, ConnectionError):
            while await asyncio.wait_for(self.server_in.read(PIECE), QUIET_S):
                pass


# ---- commands ----

class Refused(Exception):
    pass


def pattern_of(word):
    pattern = word.encode("latin-1", "backslashreplace").decode("unicode_escape").encode("latin-1")
    if not 0 < len(pattern) <= PATTERN_MAX:
        raise Refused(f"a pattern has 1 to {PATTERN_MAX} bytes")
    return pattern


def arm(faults, name, words):
    """drop-reply, reset, half-close or late, with its words"""
    if not words:
        raise Refused(f"{name} wants a pattern")
    if words == ["now"] and name in ("reset", "half-close"):
        for link in list(faults.links):
            link.strike_now(name)
        return
    pattern, how = pattern_of(words.pop(0)), "close"
    after = pattern
    if name == "drop-reply" and words and words[0] in ("close", "silent"):
        how = words.pop(0)
    elif name == "late" and words:
        after = pattern_of(words.pop(0))
    count = int(words.pop(0)) if words and name != "late" else 1
    if words or count < 1:
        raise Refused(f"not understood: {' '.join(words) or count}")
    faults.armed.append(Armed(name, pattern, count, how, after))


def obey(faults, words):
    """Does what one line says; returns the answer."""
    name, *rest = words or [""]
    if name == "pass" and not rest:
        if faults.late:
            faults.late.link.server_out.close()
        faults.armed, faults.delay_ms, faults.swallow, faults.late = [], 0, False, None
    elif name == "delay" and len(rest) == 1:
        faults.delay_ms = int(rest[0])
    elif name == "swallow" and not rest:
        faults.swallow = True
    elif name == "fired" and len(rest) == 1 and rest[0] in faults.fired:
        return str(faults.fired[rest[0]])
    elif name == "open" and not rest:
        return str(len(faults.links))
    elif name in ("drop-reply", "reset", "half-close", "late"):
        arm(faults, name, rest)
    else:
        raise Refused(f"not understood: {' '.join(words)}")
    return "ok"


async def serve(listen_at, server_at, control_at):
    faults = Faults()

    async def on_client(*client):
        try:
            server = await connect(server_at)
        except OSError:
            break_off(client[1])
            return
        await Link(faults, client, server).run()

    async def on_control(reader, writer):
        while line := await reader.readline():
            try:
                answer = obey(faults, shlex.split(line.decode()))
            except (Refused, ValueError) as error:
                answer = f"refused: {error}"
            writer.write(answer.encode() + b"\n")
        writer.close()

    servers = [await listen(on_client, listen_at), await listen(on_control, control_at)]
    await asyncio.gather(*(server.serve_forever() for server in servers))


def ask(control_at, words):
    host, port = split_address(control_at)
    with socket.socket(socket.AF_UNIX if port is None else socket.AF_INET) as control:
        control.connect(host if port is None else (host, port))
        control.sendall(shlex.join(words).encode() + b"\n")
        answer = control.makefile().readline().strip()
    print(answer)
    return answer == "" or answer.startswith("refused")


def main():
    match sys.argv[1:]:
        case ["serve", listen_at, server_at, control_at]:
            asyncio.run(serve(listen_at, server_at, control_at))
        case ["ask", control_at, *words]:
            sys.exit(ask(control_at, words))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
