# The server's side of WSGI (PEP 3333): one handler per application, called once per request with its environ.
# Finds in its namespace: set_head, write_body, write_chunk, last_wait, finish_body, set_file, read_body, read_body_into, log_exception, log_client_gone,
# describe and Harakiri.
# Invariant: whatever the application does, close() of its iterable is called, and no exception leaves a handler.
from io import BufferedReader, FileIO, RawIOBase
from itertools import chain

# Bodies given as a list of chunks up to this size are sent in one piece.
JOINED_SIZE = 65536


class ClientGone(OSError):
    """The client has closed its connection."""


def refuse_chunk(chunk):
    # Differs from uWSGI: that logs the chunk, leaves it out and goes on.
    kind = type(chunk).__name__
    hint = ": encode it first" if isinstance(chunk, str) else ""
    raise TypeError(f"the response body must be made of bytes, not {kind}{hint}")


def head_of(status, headers):
    """Checks the form of start_response()'s arguments; returns the headers in the host's form."""
    if not isinstance(status, str):
        raise TypeError(f"the status must be str, not {type(status).__name__}")
    if not isinstance(headers, list):
        raise TypeError(f"the headers must be a list, not {type(headers).__name__}")
    flat = [*chain.from_iterable(headers)]
    if len(flat) != 2 * len(headers):
        raise TypeError("each header must be a tuple of a name and a value")
    try:
        joined = "\0".join(flat)
    except TypeError:
        wrong = next(item for item in flat if not isinstance(item, str))
        raise TypeError(f"header names and values must be str, not {type(wrong).__name__}") from None
    if flat and joined.count("\0") != len(flat) - 1:
        raise ValueError("a header name or value holds a NUL character")
    return joined


def report(client_gone, environ, error):
    try:
        if client_gone:
            what = f"{environ.get('REQUEST_METHOD', '')} {environ.get('REQUEST_URI', '')}"
            log_client_gone(what.encode("utf-8", "backslashreplace"))
        else:
            log_exception(*describe(error))
    except BaseException:
        # The description itself failed for want of memory or stack.
        log_exception(type(error).__name__.encode("utf-8", "backslashreplace"), b"")


def hand_over(filelike):
    """Has the host send what is left of a file, if that is a file of the host. Differs from uWSGI: it begins at the position."""
    if type(filelike) is not BufferedReader and type(filelike) is not FileIO:
        return False
    try:
        return set_file(filelike.fileno(), filelike.tell())
    except (OSError, ValueError):
        return False


def make_handler(application):
    # Returns whether it went well; why the host has stopped it, when it has.
    def handle(environ):
        # 0: nothing yet; 1: start_response() was called; 2: the head has gone out; 3: the request is over.
        state = 0

        def write(chunk):
            nonlocal state
            if not isinstance(chunk, bytes):
                refuse_chunk(chunk)
            if state == 3:
                raise RuntimeError("write() was called after the request had ended")
            if chunk:
                state = 2
                write_body(chunk)

        def start_response(status, headers, exc_info=None):
            nonlocal state
            if state:
                # Differs from uWSGI: a second call needs exc_info, as PEP 3333 has it.
                try:
                    if state == 3:
                        raise RuntimeError("start_response() was called after the request had ended")
                    if exc_info is None:
                        raise AssertionError("start_response() was called a second time without exc_info")
                    if state == 2:
                        raise exc_info[1].with_traceback(exc_info[2])
                finally:
                    exc_info = None
            set_head(status, head_of(status, headers))
            state = 1
            return write

        try:
            result = application(environ, start_response)
            kind = type(result)
            if (kind is list or kind is tuple) and len(result) == 1:
                result = result[0]
                if not isinstance(result, bytes):
                    refuse_chunk(result)
                kind = bytes
            if kind is bytes:
                # uWSGI too takes plain bytes for a body of one chunk.
                if not state:
                    raise AssertionError("the application did not call start_response()")
                state = 3
                finish_body(result)
                return True
            try:
                if kind is FileWrapper and state == 1 and hand_over(result.filelike):
                    state = 3
                    finish_body(b"")
                    return True
                if (kind is list or kind is tuple) and sum(map(len, result)) <= JOINED_SIZE:
                    for chunk in result:
                        if not isinstance(chunk, bytes):
                            refuse_chunk(chunk)
                    if not state:
                        raise AssertionError("the application did not call start_response()")
                    state = 3
                    finish_body(b"".join(result))
                    return True
                for chunk in result:
                    if not isinstance(chunk, bytes):
                        refuse_chunk(chunk)
                    if chunk:
                        if not state:
                            raise AssertionError("the application sent a body before it called start_response()")
                        state = 2
                    # What it has asked to wait for is waited for here; without that, the other cores have their turn.
                    write_chunk(chunk)
                    if "x-wsgiorg.fdevent.timeout" in environ:
                        note_wait(environ)
                if not state:
                    raise AssertionError("the application did not call start_response()")
                state = 3
                finish_body(b"")
                return True
            finally:
                state = 3
                close = getattr(result, "close", None)
                if close is not None:
                    close()
        except ClientGone as error:
            report(True, environ, error)
            return True
        except Harakiri as error:
            if error.is_told:
                return str(error)
            report(False, environ, error)
            return False
        # Differs from uWSGI: SystemExit is an error like any other, the worker goes on.
        except BaseException as error:
            report(False, environ, error)
            return False
        finally:
            state = 3

    return handle


class BodyStream(RawIOBase):
    """A request body that arrives piece by piece; `wsgi.input` reads it through a buffer."""

    def __init__(self, serial):
        self._serial = serial

    def readable(self):
        return True

    def readinto(self, buffer):
        return read_body_into(self._serial, buffer)

    def readall(self):
        pieces = []
        while piece := read_body(self._serial, 262144):
            pieces.append(piece)
        return b"".join(pieces)


def open_body(serial):
    return BufferedReader(BodyStream(serial), 65536)


class NoBody(RawIOBase):
    """`wsgi.input` of requests without a body: always at its end, so one serves them all."""

    def readable(self):
        return True

    def read(self, size=-1, /):
        return b""

    def readinto(self, buffer):
        return 0

    def close(self):
        pass


class FileWrapper:
    """`wsgi.file_wrapper`: iterates over a file-like object in blocks, and closes it in the end."""

    def __init__(self, filelike, blksize=32768):
        self.filelike = filelike
        self.blksize = blksize
        if hasattr(filelike, "close"):
            self.close = filelike.close

    def __iter__(self):
        return self

    def __next__(self):
        block = self.filelike.read(self.blksize)
        if block:
            return block
        raise StopIteration


def note_wait(environ):
    fd = last_wait()
    environ["uwsgi.ready_fd"] = fd if fd >= 0 else None
    environ["x-wsgiorg.fdevent.timeout"] = True if fd == -2 else None


def wait_readable(fd, timeout=0):
    """`x-wsgiorg.fdevent.readable`: the next chunk that is yielded waits for it. Returns such a chunk."""
    import uwsgi

    return uwsgi.wait_fd_read(fd if isinstance(fd, int) else fd.fileno(), timeout)


def wait_writable(fd, timeout=0):
    """`x-wsgiorg.fdevent.writable`."""
    import uwsgi

    return uwsgi.wait_fd_write(fd if isinstance(fd, int) else fd.fileno(), timeout)


def make_template(multiprocess, version, node, has_cores):
    """What every environ holds beside the request's own variables. Scheme, core and input are set per request."""
    import sys

    # As uWSGI has it, `wsgi.multithread` says nothing of cores: they share a thread, and change only where one waits.
    waits = {
        "x-wsgiorg.fdevent.readable": wait_readable,
        "x-wsgiorg.fdevent.writable": wait_writable,
        "x-wsgiorg.fdevent.timeout": None,
    }
    return {
        **(waits if has_cores else {}),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": NoBody(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": multiprocess,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
        "wsgi.input_terminated": True,
        "uwsgi.version": version,
        "uwsgi.node": node,
        "uwsgi.core": 0,
    }
