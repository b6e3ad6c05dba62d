"""Calls a function of another space before it imports siblings that that space has too."""

import uwsgi

theirs = uwsgi.call("names of a").decode()

import lazy
import settings

own = f"{settings.NAME}, {lazy.NAME}"
uwsgi.keep("loaded by b", lambda: f"{theirs} / {own}".encode())


def application(environ, start_response):
    start_response("200 OK", [])
    return []
