# Connections of event loops, as asyncio's streams and protocols want them, over the server's own: `uwsgi.connect()` and its kin.
# In the main loop the host does what has to be waited for; a loop of its own waits for the descriptors of all its connections
# at once, and then reads.
# Invariant: a protocol gets connection_lost() exactly once, after everything else.
# Finds in its namespace: use, connect_to, receive_from, send_to, close_connection.
from asyncio import Transport, protocols

import uwsgi

coroutines = use("coroutines")
main_loop = coroutines.loop

READ_SIZE = 65536
# asyncio's own figure: above it writers are asked to wait.
HIGH_WATER = 65536
# Nobody gives up a connection attempt before the system does.
CONNECT_SECONDS = 300


async def connect(loop, factory, address, extra):
    """(transport, protocol) of a new connection."""
    if loop is main_loop:
        fd = await coroutines.operation(connect_to(address, CONNECT_SECONDS))
        kind = MainTransport
    else:
        fd = uwsgi.connect(address, CONNECT_SECONDS)
        kind = OwnTransport
    if fd < 0:
        raise ConnectionRefusedError(f"cannot connect to {address}")
    protocol = factory()
    transport = kind(loop, fd, protocol, extra)
    protocol.connection_made(transport)
    transport.resume_reading()
    return transport, protocol


class ConnectionTransport(Transport):
    def __init__(self, loop, fd, protocol, extra):
        super().__init__(extra)
        self._loop = loop
        self._fd = fd
        self._protocol = protocol
        self._is_closing = self._is_lost = False
        self._wants = False

    def set_protocol(self, protocol):
        self._protocol = protocol

    def get_protocol(self):
        return self._protocol

    def is_closing(self):
        return self._is_closing

    def is_reading(self):
        return self._wants and not self._is_closing

    def can_write_eof(self):
        return False

    def write_eof(self):
        raise NotImplementedError("a connection cannot be closed in one direction alone in this server")

    def received(self, data):
        if self._is_lost:
            return
        protocol = self._protocol
        if not data:
            self._wants = False
            if not protocol.eof_received():
                self.close()
        elif isinstance(protocol, protocols.BufferedProtocol):
            protocols._feed_data_to_buffered_proto(protocol, data)
        else:
            protocol.data_received(data)

    def abort(self):
        self.lose(None)

    def lose(self, error):
        """The connection is over, whatever has not been written."""
        if self._is_lost:
            return
        self._is_lost = self._is_closing = True
        self.stop_reading()
        self.close_fd()
        self._loop.call_soon(self._protocol.connection_lost, error)

    def pause_reading(self):
        self._wants = False
        self.stop_reading()

    def __repr__(self):
        return f"<{type(self).__name__} fd={self._fd}{' closing' if self._is_closing else ''}>"


class MainTransport(ConnectionTransport):
    """A connection of the main loop: one read and one write are with the host at a time."""

    def __init__(self, loop, fd, protocol, extra):
        super().__init__(loop, fd, protocol, extra)
        self._reading = self._writing = None
        # What came while reading was paused.
        self._held = None
        self._buffer = bytearray()
        self._high = HIGH_WATER
        self._low = HIGH_WATER // 4
        self._is_paused = False

    def resume_reading(self):
        if self._is_closing or self._wants:
            return
        self._wants = True
        if self._held is not None:
            held, self._held = self._held, None
            self._loop.call_soon(self.deliver, held)
        else:
            self.read()

    def stop_reading(self):
        """What is on its way is held until reading goes on."""

    def read(self):
        if self._wants and self._reading is None and not self._is_lost:
            self._reading = coroutines.operation(receive_from(self._fd, READ_SIZE))
            self._reading.add_done_callback(self.arrived)

    def arrived(self, reading):
        self._reading = None
        if reading.cancelled() or self._is_lost:
            return
        error = reading.exception()
        if error is not None:
            self.lose(error)
        else:
            self.deliver(reading.result())

    def deliver(self, data):
        if not self._wants:
            self._held = data
            return
        self.received(data)
        if data:
            self.read()

    def write(self, data):
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"data must be bytes, not {type(data).__name__}")
        if self._is_closing or not data:
            return
        self._buffer += data
        self.flush()
        if len(self._buffer) > self._high and not self._is_paused:
            self._is_paused = True
            self._protocol.pause_writing()

    def flush(self):
        if self._writing is None and self._buffer:
            data, self._buffer = bytes(self._buffer), bytearray()
            self._writing = coroutines.operation(send_to(self._fd, data))
            self._writing.add_done_callback(self.written)

    def written(self, writing):
        self._writing = None
        if self._is_lost or writing.cancelled():
            return
        error = writing.exception()
        if error is not None or writing.result() is not True:
            self.lose(error or ConnectionResetError("the other side has closed the connection"))
            return
        self.flush()
        if self._is_paused and len(self._buffer) <= self._low:
            self._is_paused = False
            self._protocol.resume_writing()
        if self._is_closing and self._writing is None:
            self.lose(None)

    def close(self):
        if self._is_closing:
            return
        self._is_closing = True
        if self._writing is None:
            self.lose(None)

    def close_fd(self):
        close_connection(self._fd)

    def get_write_buffer_size(self):
        return len(self._buffer)

    def get_write_buffer_limits(self):
        return self._low, self._high

    def set_write_buffer_limits(self, high=None, low=None):
        if high is None:
            high = HIGH_WATER if low is None else 4 * low
        if low is None:
            low = high // 4
        if not high >= low >= 0:
            raise ValueError(f"high ({high!r}) must be >= low ({low!r}) must be >= 0")
        self._high, self._low = high, low


class OwnTransport(ConnectionTransport):
    """A connection of a loop of its own: what is written is waited for until the system has taken it."""

    def resume_reading(self):
        if not self._is_closing and not self._wants:
            self._wants = True
            self._loop.connections[self._fd] = self.readable

    def stop_reading(self):
        self._loop.connections.pop(self._fd, None)

    def readable(self):
        if not self._wants:
            return
        try:
            data = uwsgi.recv(self._fd, READ_SIZE)
        except OSError as error:
            self.lose(error)
            return
        if not data:
            self.stop_reading()
        self.received(data)

    def write(self, data):
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"data must be bytes, not {type(data).__name__}")
        if self._is_closing or not data:
            return
        try:
            is_taken = uwsgi.send(self._fd, bytes(data))
        except OSError as error:
            self.lose(error)
            return
        if not is_taken:
            self.lose(ConnectionResetError("the other side has closed the connection"))

    def close(self):
        self.lose(None)

    def close_fd(self):
        uwsgi.close(self._fd)

    def get_write_buffer_size(self):
        return 0

    def get_write_buffer_limits(self):
        return 0, HIGH_WATER

    def set_write_buffer_limits(self, high=None, low=None):
        pass
