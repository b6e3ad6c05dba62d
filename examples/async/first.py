"""Asks every server of `upstreams` at once, and answers with what the quickest one says.

Nothing here is written for it, but while this request waits its worker serves others.
"""
import uwsgi

servers = uwsgi.opt["upstreams"].decode().split(",")


def application(environ, start_response):
    asked = {}
    for address in servers:
        fd = uwsgi.async_connect(address)  # the connection is on its way
        if uwsgi.send(fd, b"hello\n"):
            asked[fd] = address
            uwsgi.wait_fd_read(fd, 3)
        else:
            uwsgi.close(fd)  # refused
    uwsgi.suspend()  # until one can be read, for three seconds at most
    ready = uwsgi.ready_fd()
    answer = uwsgi.recv(ready, 4096) if ready in asked else None
    for fd in asked:
        uwsgi.close(fd)
    if not answer:
        start_response("504 Gateway Timeout", [("Content-Type", "text/plain")])
        return [b"nobody has answered\n"]
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Server", asked[ready])])
    return [answer]
