# Exceptions as text for the server's log: with the guest's files and lines, without frames of our own.

OWN_FILES = ("<polywsgi>/", "<frozen importlib")


def without_own_frames(described, seen):
    """Takes our frames out of an exception and of those it was raised from."""
    from traceback import StackSummary

    while described is not None and id(described) not in seen:
        seen.add(id(described))
        described.stack = StackSummary.from_list(
            [frame for frame in described.stack if not frame.filename.startswith(OWN_FILES)]
        )
        for inner in described.exceptions or ():
            without_own_frames(inner, seen)
        without_own_frames(described.__context__, seen)
        described = described.__cause__


def summary_of(error):
    """`ValueError: boom`, and no more than a line of it."""
    try:
        text = str(error)
    except BaseException:
        text = "<str() of the exception failed>"
    name = type(error).__name__
    first_line = text.split("\n", 1)[0]
    if len(first_line) > 500:
        # Both ends: what failed first stands at the end of a chain of calls through several languages.
        first_line = f"{first_line[:240]} ... {first_line[-255:]}"
    return f"{name}: {first_line}" if first_line else name


def formatted(error):
    # Imported when first needed: it costs some milliseconds that most workers never spend.
    from traceback import TracebackException

    described = TracebackException.from_exception(error, compact=True)
    without_own_frames(described, set())
    return "".join(described.format()).rstrip("\n")


def release_frames(error):
    """Drops the local variables of the frames that an exception has passed: they may hold all the memory."""
    link = error.__traceback__
    while link is not None:
        try:
            link.tb_frame.clear()
        except RuntimeError:
            pass  # still running
        link = link.tb_next


def traceback_of(error):
    try:
        try:
            return formatted(error)
        except MemoryError:
            release_frames(error)
            return formatted(error)
    except BaseException as failure:
        # Out of memory or of stack while describing the error: say at least what it was.
        return f"{summary_of(error)}\n(no traceback: {summary_of(failure)})"


def encode(text):
    return text.encode("utf-8", "backslashreplace")


def describe(error):
    """Summary and traceback, both as UTF-8."""
    return encode(summary_of(error)), encode(traceback_of(error))
