"""Requests at a steady rate, by a client that leaves the processor to the service it shares a machine with."""

import asyncio
import gc
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

N_CONNECTIONS = 32


@dataclass(frozen=True)
class Asked:
    """One request; `document` makes it a POST."""

    path: str
    document: object = None


@dataclass
class Load:
    """How requests were answered: statuses, and the seconds that GETs took from the moment they were due."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    slowest: dict[str, float] = field(default_factory=dict)


@dataclass
class Connection:
    """One connection that is kept open."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, host: str, token: str, asked: Asked) -> int:
        """Sends a request and reads all of the answer; its status."""
        body = b"" if asked.document is None else json.dumps(asked.document).encode()
        method = "GET" if asked.document is None else "POST"
        lines = [f"{method} {asked.path} HTTP/1.1", f"host: {host}", f"authorization: Bearer {token}"]
        lines += ["content-type: application/json", f"content-length: {len(body)}"] if body else []
        self.writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().lower()
        fields = dict(line.split(": ", 1) for line in head.splitlines()[1:] if line)
        await self.reader.readexactly(int(fields["content-length"]))
        return int(head.split(" ", 2)[1])


async def ask_steadily(
    port: int, token: str, *, choose: Callable[[int], Asked], per_second: int, seconds: float
) -> Load:
    """Asks at a steady rate, whether or not earlier requests were answered."""
    load, loop = Load(), asyncio.get_running_loop()
    idle: asyncio.Queue[Connection] = asyncio.Queue()
    opened = [Connection(*await asyncio.open_connection("127.0.0.1", port)) for _ in range(N_CONNECTIONS)]
    for connection in opened:
        idle.put_nowait(connection)

    async def one(number: int, due: float) -> None:
        await asyncio.sleep(max(due - loop.time(), 0))
        asked = choose(number)
        connection = await idle.get()
        load.statuses[await connection.ask(f"127.0.0.1:{port}", token, asked)] += 1
        idle.put_nowait(connection)
        if asked.document is None:
            took = loop.time() - due
            load.seconds.append(took)
            load.slowest[asked.path] = max(load.slowest.get(asked.path, 0.0), took)

    gc.collect()
    gc.freeze()  # a full round over all that the tests have loaded would count as the service's slowness
    start = loop.time() + 0.1
    async with asyncio.TaskGroup() as group:
        for number in range(int(seconds * per_second)):
            group.create_task(one(number, start + number / per_second))
    gc.unfreeze()
    for connection in opened:
        connection.writer.close()
    return load
