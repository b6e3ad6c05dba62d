"""Calls two words of counter.fs."""

import uwsgi


def application(environ, start_response):
    total = uwsgi.call("forth_add", "20", "22").decode()
    greeting = uwsgi.call("forth_says", "Python").decode()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"20 + 22 = {total}: {greeting}\n".encode()]
