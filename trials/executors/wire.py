"""Messages between an executor and its training processes: JSON, each preceded by its length in four bytes."""

import struct
from typing import TypeAlias

from pydantic import BaseModel, TypeAdapter

from trials.protocol import Cohort, Event, Verdicts

MAX_MESSAGE_BYTES = 2**30

Request: TypeAlias = Cohort | Verdicts

EVENTS: TypeAdapter[Event] = TypeAdapter(Event)
REQUESTS: TypeAdapter[Request] = TypeAdapter(Request)

_LENGTH = struct.Struct("!I")


class BrokenMessageError(Exception):
    """The other side sent something that is no message."""


def encode(message: BaseModel) -> bytes:
    """A message as it is sent."""
    body = message.model_dump_json().encode()
    return _LENGTH.pack(len(body)) + body


class Decoder:
    """Cuts a stream of bytes into the bodies of messages."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, received: bytes) -> list[bytes]:
        """The bodies that are complete now.

        Raises:
            BrokenMessageError: A length is beyond all bounds.
        """
        self._pending += received
        bodies: list[bytes] = []
        while len(self._pending) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._pending)
            if length > MAX_MESSAGE_BYTES:
                raise BrokenMessageError(f"expected a message of at most {MAX_MESSAGE_BYTES} bytes; received {length}")
            if len(self._pending) < _LENGTH.size + length:
                break
            bodies.append(bytes(self._pending[_LENGTH.size : _LENGTH.size + length]))
            del self._pending[: _LENGTH.size + length]
        return bodies
