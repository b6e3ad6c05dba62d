"""Imports a sibling that the other space has too, at the start and again while it serves."""

import settings


def application(environ, start_response):
    import lazy

    start_response("200 OK", [])
    return [f"{settings.NAME} {lazy.NAME}".encode()]
