# The end of code that overran: run first of all. The host raises Harakiri where that code stands, or waits.

class Harakiri(BaseException):
    """The request was given up: it took longer than it may."""

    # True when the host has told where it was raised.
    is_told = False


Harakiri.__module__ = "uwsgi"

OWN_FILES = ("<polywsgi>/", "<frozen importlib")


def stack_of(frame, reason):
    """What a traceback of Harakiri, raised in this frame, would say. Never raises; b"" for want of memory or stack."""
    try:
        from traceback import StackSummary, walk_stack

        entries = [entry for entry in walk_stack(frame) if not entry[0].f_code.co_filename.startswith(OWN_FILES)]
        lines = StackSummary.extract(reversed(entries)).format()
        text = "".join(("Traceback (most recent call last):\n", *lines, f"uwsgi.Harakiri: {reason}"))
        return text.encode("utf-8", "backslashreplace")
    except BaseException:
        return b""


def told_stop(error):
    """The Harakiri of which the host knows already, where `error` is one, or a group that holds one; else None."""
    if isinstance(error, Harakiri):
        return error if error.is_told else None
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            found = told_stop(inner)
            if found is not None:
                return found
    return None
