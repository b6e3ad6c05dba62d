# asyncio's event loops. There are no selectors and no threads in here: a loop of its own (asyncio.run) waits in the host's
# sleep, and the main loop, in which requests, their background tasks and the lifespan live, does not wait at all: it is run
# in turns, which the host begins when something is ready.
# Invariant: whenever a handle of the main loop is ready and no turn of it runs, the host has been asked for a turn; and for
# one when the earliest timer falls due.
# Finds in its namespace: use, wake_in, host_sleep, spaces, enter_space, runs_for (None where CPU time is not limited).
import sys
import threading
from asyncio import base_events, events, streams
from asyncio.log import logger
from contextvars import ContextVar
from heapq import heapify, heappop
from math import inf
from os import fspath
from time import monotonic

# A turn goes on for about so long: then other languages, and the server itself, have the thread.
TURN_SECONDS = 0.004
# So many handles are run between two looks at the clock.
HANDLES_AT_ONCE = 32
# So many cancelled timers are left lying, as long as they are fewer than half of all (asyncio's own figures).
MOST_CANCELLED = 100
# A wait without an end looks up after so long, should another loop have given this one something to do.
LONGEST_SLEEP = 0.1
# While handles are ready, connections are looked at once in so many rounds.
POLL_EVERY = 16

# The serial number of the request that a task works for, and the space of guest/loader.py that its code belongs to.
current_request = ContextVar("uwsgi request", default=0)
current_space = ContextVar("uwsgi space", default=None)

Handle = events.Handle
get_running_loop = events._get_running_loop
set_running_loop = events._set_running_loop


class EventLoop(base_events.BaseEventLoop):
    """A loop for run_forever() and run_until_complete(): it parks its thread, or suspends its core, while it has nothing to do."""

    def __init__(self):
        super().__init__()
        self._selector = self
        # What to call when a descriptor can be read: those of guest/transports.py.
        self.connections = {}
        self._polls = 0

    def select(self, timeout):
        """What BaseEventLoop waits by."""
        if self.connections:
            return self.wait_for_connections(timeout)
        if timeout is None:
            while not self._ready and not self._stopping:
                host_sleep(LONGEST_SLEEP)
        elif timeout > 0:
            host_sleep(timeout)
        return ()

    def wait_for_connections(self, timeout):
        if timeout is not None and timeout <= 0:
            # Something is ready already: a look at the connections costs more than most of that.
            self._polls += 1
            if self._polls % POLL_EVERY:
                return ()
            timeout = 0.001
        import uwsgi

        for fd in self.connections:
            uwsgi.wait_fd_read(fd)
        if timeout is not None:
            uwsgi.async_sleep(timeout)
        uwsgi.suspend()
        reader = self.connections.get(uwsgi.ready_fd())
        return () if reader is None else (reader,)

    def _process_events(self, event_list):
        for reader in event_list:
            self._ready.append(Handle(reader, (), self, None))

    async def create_connection(self, protocol_factory, host=None, port=None, *, ssl=None, sock=None, local_addr=None, **ignored):
        if ssl:
            raise NotImplementedError("TLS is not possible in this server")
        if sock is not None or local_addr is not None:
            raise NotImplementedError("a connection is made from a host and a port alone in this server")
        if host is None or port is None:
            raise ValueError("host and port must be given")
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        return await use("transports").connect(self, protocol_factory, address, {"peername": (host, int(port))})

    async def create_unix_connection(self, protocol_factory, path=None, *, ssl=None, sock=None, **ignored):
        if ssl:
            raise NotImplementedError("TLS is not possible in this server")
        if path is None or sock is not None:
            raise NotImplementedError("a connection is made from a path in this server")
        return await use("transports").connect(self, protocol_factory, fspath(path), {"peername": fspath(path)})

    def _write_to_self(self):
        """There is no other thread that could have to be woken."""

    def close(self):
        if not self._closed:
            super().close()

    def run_in_executor(self, executor, func, *args):
        """Differs from asyncio: there are no threads, so the function is run at once, whatever the executor is."""
        self._check_closed()
        future = self.create_future()
        try:
            result = func(*args)
        except StopIteration as error:
            future.set_exception(RuntimeError(f"{func!r} raised StopIteration: {error}"))
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(result)
        return future

    def set_default_executor(self, executor):
        pass

    def default_exception_handler(self, context):
        error = context.get("exception")
        if error is not None:
            error.__traceback__ = without_own_frames(error.__traceback__)
        super().default_exception_handler(context)

    def _timer_heads(self):
        """Takes cancelled timers away. Returns the earliest of the others, or None."""
        scheduled = self._scheduled
        if self._timer_cancelled_count > MOST_CANCELLED and self._timer_cancelled_count * 2 > len(scheduled):
            kept = []
            for handle in scheduled:
                if handle._cancelled:
                    handle._scheduled = False
                else:
                    kept.append(handle)
            heapify(kept)
            self._scheduled = scheduled = kept
            self._timer_cancelled_count = 0
        while scheduled and scheduled[0]._cancelled:
            heappop(scheduled)._scheduled = False
            self._timer_cancelled_count -= 1
        return scheduled[0] if scheduled else None


def refusal(what, instead):
    def refuse(self, *args, **keywords):
        raise NotImplementedError(f"{what} in this server: {instead}")

    return refuse


def refusing_coroutine(what, instead):
    async def refuse(self, *args, **keywords):
        raise NotImplementedError(f"{what} in this server: {instead}")

    return refuse


no_server = "the server itself listens, with its options `http` and `socket`"
for name in ("create_server", "create_unix_server", "start_tls", "connect_accepted_socket"):
    setattr(EventLoop, name, refusing_coroutine(f"{name}() is not possible", no_server))
for name in ("subprocess_exec", "subprocess_shell"):
    setattr(EventLoop, name, refusing_coroutine("no process can be started", "use a mule or the spooler"))
for name in ("create_datagram_endpoint", "sock_recv", "sock_recv_into", "sock_recvfrom", "sock_recvfrom_into", "sock_sendall",
             "sock_sendto", "sock_connect", "sock_accept", "sock_sendfile", "connect_read_pipe", "connect_write_pipe"):
    setattr(EventLoop, name, refusing_coroutine(f"{name}() is not possible", "there are no sockets but uwsgi.async_connect()'s"))
for name in ("add_signal_handler", "remove_signal_handler"):
    setattr(EventLoop, name, refusal(f"{name}() is not possible", "use uwsgi.register_signal()"))


def without_own_frames(link):
    while link is not None and link.tb_frame.f_code.co_filename.startswith("<polywsgi>/"):
        link = link.tb_next
    return link


class MainLoop(EventLoop):
    """The loop of this thread that the server runs."""

    def __init__(self):
        super().__init__()
        # It counts as running from here on.
        self._thread_id = threading.get_ident()
        # True while a turn runs, or an entry that looks after the next turn by itself.
        self.is_turning = False
        # When the turn that the host was asked for is due.
        self._due = inf

    def run_forever(self):
        raise RuntimeError("this event loop is run by the server: use asyncio.run(), or await in a coroutine of it")

    def run_until_complete(self, future):
        raise RuntimeError("this event loop is run by the server: use asyncio.run(), or await in a coroutine of it")

    def stop(self):
        raise RuntimeError("this event loop is run by the server, it cannot be stopped")

    def close(self):
        raise RuntimeError("this event loop is run by the server, it cannot be closed")

    def __del__(self):
        pass

    def call_soon(self, callback, *args, context=None):
        if self._debug:
            self._check_callback(callback, "call_soon")
        handle = Handle(callback, args, self, context)
        self._ready.append(handle)
        if not self.is_turning and self._due > 0:
            self._due = 0
            wake_in(0.0)
        return handle

    def _write_to_self(self):
        if not self.is_turning:
            self.arrange()

    def call_at(self, when, callback, *args, context=None):
        timer = super().call_at(when, callback, *args, context=context)
        if not self.is_turning and when < self._due:
            self.arrange()
        return timer

    def watch_generators(self):
        """To be called in every thread state that code of the loop runs in."""
        if sys.get_asyncgen_hooks().firstiter is None:
            sys.set_asyncgen_hooks(self._asyncgen_firstiter_hook, self._asyncgen_finalizer_hook)

    def arrange(self):
        """Asks the host for the turn that is needed next."""
        if self._ready:
            if self._due > 0:
                self._due = 0
                wake_in(0.0)
            return
        first = self._timer_heads()
        if first is not None and first._when < self._due:
            self._due = first._when
            wake_in(max(0.0, first._when - monotonic()))

    def turn(self):
        """Runs what is ready, until nothing is or the time is over."""
        self._due = inf
        self.is_turning = True
        outer = get_running_loop()
        set_running_loop(self)
        self.watch_generators()
        ready = self._ready
        now = monotonic()
        end = now + TURN_SECONDS
        while True:
            self._take_due(now)
            for _ in range(min(len(ready), HANDLES_AT_ONCE)):
                # Another turn may have taken it, while this one was suspended in a handle.
                if not ready:
                    break
                handle = ready.popleft()
                if not handle._cancelled:
                    self._run(handle)
            if not ready:
                break
            now = monotonic()
            if now >= end:
                break
        handle = None
        set_running_loop(outer)
        self.is_turning = False
        self.arrange()

    def _take_due(self, now):
        first = self._timer_heads()
        if first is None:
            return
        scheduled = self._scheduled
        now += self._clock_resolution
        while scheduled and scheduled[0]._when < now:
            handle = heappop(scheduled)
            handle._scheduled = False
            self._ready.append(handle)

    def _run(self, handle):
        context = handle._context
        if len(spaces) > 1 and (space := context.get(current_space)) is not None:
            enter_space(space)
        if runs_for is not None:
            runs_for(context.get(current_request, 0))
        try:
            context.run(handle._callback, *handle._args)
        # Differs from asyncio: SystemExit is an error like any other, the loop goes on.
        except BaseException as error:
            try:
                message = f"Exception in callback {base_events._format_handle(handle)}"
                self.call_exception_handler({"message": message, "exception": error, "handle": handle})
            except BaseException:
                logger.error("an exception handler of the event loop failed")

    def drive(self, future, seconds):
        """Runs the loop here and now, for at most so long, until a future is done: at the end of the thread, when no turns come."""
        end = monotonic() + seconds
        while not future.done():
            self.turn()
            now = monotonic()
            if future.done() or now >= end:
                break
            if not self._ready:
                first = self._timer_heads()
                wait = LONGEST_SLEEP if first is None else min(LONGEST_SLEEP, first._when - now)
                if wait > 0:
                    host_sleep(min(wait, end - now))
        return future.done()


main_loop = None


def the_main_loop():
    global main_loop
    if main_loop is None:
        main_loop = MainLoop()
    return main_loop


async def open_unix_connection(path=None, *, limit=streams._DEFAULT_LIMIT, **options):
    """As asyncio has it where sockets know of paths."""
    loop = get_running_loop()
    reader = streams.StreamReader(limit=limit, loop=loop)
    protocol = streams.StreamReaderProtocol(reader, loop=loop)
    transport, _ = await loop.create_unix_connection(lambda: protocol, path, **options)
    return reader, streams.StreamWriter(transport, protocol, reader, loop)


def install(unix_events):
    import asyncio

    asyncio.open_unix_connection = open_unix_connection
    unix_events["EventLoop"] = unix_events["SelectorEventLoop"] = EventLoop
    unix_events["_DefaultEventLoopPolicy"]._loop_factory = EventLoop
