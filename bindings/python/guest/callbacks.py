# What the host needs of Python to call functions that guests have registered.


def check_answer(function, answer):
    """The answer of a function that was called for RPC, as bytes: text is taken as UTF-8."""
    # Differs from uWSGI: it takes an answer of text for a failure.
    if isinstance(answer, bytes):
        return bytes(answer)
    if isinstance(answer, str):
        return answer.encode()
    name = getattr(function, "__qualname__", repr(function))
    raise TypeError(f"{name}() returned {type(answer).__name__}: an RPC function returns bytes, str or None")
