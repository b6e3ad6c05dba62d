# What ASGI and asynchronous WSGI have in common: a request that a task of the main loop serves, its body and its response.
# Invariant: the host learns the end of every request exactly once, from the task or, when it gives the request up, by itself;
# after that nothing of the task reaches the client.
# Finds in its namespace: use, set_head_of, write_of, finish_of, read_of, watch_client, end_request, fail_request,
# note_client_gone, describe, ClientGone, told_stop, request_stopped.
from asyncio import shield

event_loop = use("event_loop")
coroutines = use("coroutines")
operation, operations = coroutines.operation, coroutines.operations
current_request, current_space = event_loop.current_request, event_loop.current_space
begin = coroutines.begin

# A piece of a large body, at most.
PIECE_SIZE = 65536
# How an application's task is told that its time is over.
GIVEN_UP = "the request is given up: it took longer, or more CPU time, than it may"

# Requests that have not ended with their entry, by serial number. asyncio holds tasks by weak references only.
running = {}


class Exchange:
    """A request in the hands of an application."""

    __slots__ = ("serial", "body", "is_later", "is_over", "is_given_up", "task", "writing", "reading", "leaving", "leaving_number")

    def __init__(self, serial, body):
        self.serial = serial
        # bytes: all of it, that has not been handed out yet; None: it has been; True: it is to be read from the host.
        self.body = body
        self.is_later = False
        self.is_over = self.is_given_up = False
        self.task = None
        # What the host is doing for this request.
        self.writing = self.reading = self.leaving = None

    async def write(self, chunk):
        """Sends a piece of the body, and the head before it; waits for a client that is slower."""
        if self.writing is not None:
            await self.written()
        if self.is_over:
            raise RuntimeError("the request is over")
        number = write_of(self.serial, chunk)
        if number:
            self.writing = operation(number)
            await self.written()

    async def finish(self, chunk):
        if self.writing is not None:
            await self.written()
        if self.is_over:
            raise RuntimeError("the request is over")
        number = finish_of(self.serial, chunk)
        if number:
            self.writing = operation(number)
            await self.written()

    async def written(self):
        """Waits for the write under way. It goes on even when whoever waits is cancelled."""
        while (writing := self.writing) is not None:
            try:
                await shield(writing)
            finally:
                if writing.done() and self.writing is writing:
                    self.writing = None

    async def read(self):
        """The next piece of a body that arrives by and by; b"" at its end."""
        while True:
            reading = self.reading
            if reading is None:
                if self.is_over:
                    return b""
                piece = read_of(self.serial, PIECE_SIZE)
                if type(piece) is bytes:
                    return piece
                reading = self.reading = operation(piece)
            try:
                piece = await shield(reading)
            finally:
                # Whoever waited may have been cancelled: the piece is then the next reader's.
                is_mine = self.reading is reading and reading.done()
                if is_mine and (reading.exception() is not None):
                    self.reading = None
            if is_mine:
                self.reading = None
                return piece

    async def client_leaves(self):
        """Returns when the client has gone, or the response is complete."""
        if self.is_over:
            return
        if self.leaving is None:
            self.leaving_number = watch_client(self.serial)
            self.leaving = operation(self.leaving_number)
        await shield(self.leaving)

    def over(self):
        """Nothing more is to be sent."""
        self.is_over = True
        if self.leaving is not None and not self.leaving.done():
            # The host has nothing to say of it any more.
            operations.pop(self.leaving_number, None)
            self.leaving.set_result(None)


def ended(exchange, error):
    """Called last by the task of a request. Tells the host how it ended; that is also the task's result, for an entry that waits."""
    stop = None if error is None else told_stop(error)
    if stop is not None:
        exchange.over()
        reason = str(stop)
        if exchange.is_later and running.pop(exchange.serial, None) is not None:
            request_stopped(exchange.serial, reason)
        return reason
    if error is not None:
        if type(error) is ClientGone or isinstance(error, BaseExceptionGroup) and error.split(ClientGone)[1] is None:
            note_client_gone(exchange.serial)
            error = None
        elif not exchange.is_given_up:
            report(exchange, error)
    exchange.over()
    is_good = error is None
    if exchange.is_later and running.pop(exchange.serial, None) is not None:
        end_request(exchange.serial, is_good)
    return is_good


def report(exchange, error):
    try:
        fail_request(exchange.serial, *describe(error))
    except BaseException:
        # The description itself failed for want of memory or stack.
        fail_request(exchange.serial, type(error).__name__.encode("utf-8", "backslashreplace"), b"")


def start(exchange, coroutine):
    """Serves a request up to its first wait. True and False: it has ended, well or not; why the host has stopped it; None: it goes on."""
    task = begin(coroutine)
    if task.done():
        return task.result()
    exchange.is_later = True
    exchange.task = task
    running[exchange.serial] = exchange
    return None


def give_up(serial):
    """The host does not wait for this request any more."""
    exchange = running.pop(serial, None)
    if exchange is not None:
        exchange.is_given_up = True
        exchange.over()
        exchange.task.cancel(GIVEN_UP)
