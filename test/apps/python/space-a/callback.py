"""Registers a function that imports siblings which the other space has too, before and after it calls other functions."""

import uwsgi


def names():
    import lazy
    import settings

    return f"{settings.NAME}, {lazy.NAME}"


def answer(*others):
    own = names()
    if not others:
        return own.encode()
    inner = uwsgi.call(others[0], *others[1:]).decode()
    return f"{own} ({inner}) {names()}".encode()


uwsgi.keep("names of a", answer)


def application(environ, start_response):
    start_response("200 OK", [])
    return [answer()]
