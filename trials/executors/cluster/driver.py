"""The Ray driver: a process between the coordinator and a cluster.

Ray ends every process that loses the head node for longer than a minute. So the coordinator does not speak to Ray
itself, but over a socket to this process; when it ends, the cohorts under way are lost, and no more. It ends when the
other end of the socket closes.
"""

import argparse
import asyncio
import contextlib
import os
import socket
import sys
import threading
import traceback
from collections.abc import AsyncIterator
from typing import NoReturn

import ray

from trials.executors.cluster.conduct import Conductor
from trials.executors.cluster.messages import ORDERS, Cancel, News, Order, Setup
from trials.executors.wire import Decoder, encode
from trials.protocol import Cohort, Verdicts

CHUNK_BYTES = 2**18
CONNECT_SECONDS = 30.0
NAMESPACE = "regtune"


def main() -> None:
    """Runs until the other end of the socket closes, or Ray is lost."""
    parser = argparse.ArgumentParser(prog="python -m trials.executors.cluster.driver", description=__doc__)
    parser.add_argument("--fd", type=int, required=True, help="inherited socket")
    status = 0
    try:
        asyncio.run(_drive(socket.socket(fileno=parser.parse_args().fd)))
    except Exception:  # noqa: BLE001 - the outermost loop of this process
        traceback.print_exc()
        status = 1
    _end(status)


async def _drive(connection: socket.socket) -> None:
    reader, writer = await asyncio.open_connection(sock=connection)
    orders = _orders(reader)
    setup = await anext(orders, None)
    if not isinstance(setup, Setup):
        return
    connect(setup.address)

    def tell(news: News) -> None:
        writer.write(encode(news))

    conductor = Conductor(setup, tell)
    listening = asyncio.create_task(_listen(orders, conductor))
    watching = asyncio.create_task(conductor.watch())
    ended, _ = await asyncio.wait({listening, watching, conductor.broken}, return_when=asyncio.FIRST_COMPLETED)
    for future in ended:
        future.result()


async def _listen(orders: AsyncIterator[Order], conductor: Conductor) -> None:
    async for order in orders:
        if isinstance(order, Cohort):
            conductor.begin(order)
        elif isinstance(order, Verdicts):
            conductor.answer(order)
        elif isinstance(order, Cancel):
            conductor.cancel(order.cohort_id)


async def _orders(reader: asyncio.StreamReader) -> AsyncIterator[Order]:
    decoder = Decoder()
    with contextlib.suppress(ConnectionResetError):  # as good as closed
        while received := await reader.read(CHUNK_BYTES):
            for body in decoder.feed(received):
                yield ORDERS.validate_json(body)


def connect(address: str) -> None:
    """Connects this process to a cluster; ends it if that takes too long, as Ray may try for ever.

    Raises:
        ConnectionError: There is no cluster at this address, or it refuses our token.
    """
    watchdog = threading.Timer(CONNECT_SECONDS, _give_up, [address])
    watchdog.daemon = True
    watchdog.start()
    ray.init(address=address, namespace=NAMESPACE, log_to_driver=False, include_dashboard=_dashboard(address))
    watchdog.cancel()


def _dashboard(address: str) -> bool | None:
    """None, as Ray asks for it, unless `address` makes Ray start a cluster; then there is no dashboard."""
    return False if address == "local" else None


def _give_up(address: str) -> None:
    sys.stderr.write(f"expected a Ray cluster at {address} to answer within {CONNECT_SECONDS:g} s; received nothing\n")
    _end(1)


def _end(status: int) -> NoReturn:
    sys.stderr.flush()
    threading.Timer(CONNECT_SECONDS, os._exit, [status]).start()
    ray.shutdown()
    os._exit(status)


if __name__ == "__main__":
    main()
