"""A mule's program as a file: it has siblings, arguments and a name like any script."""

import sys

import sibling
import uwsgi

if __name__ == "__main__":
    me = sys.modules["__main__"]
    uwsgi.register_rpc("script", lambda: f"{__file__} {sys.argv} {sibling.NAME} {me.sibling is sibling}".encode())
    while True:
        message = uwsgi.mule_get_msg()
        if message == b"stop":
            break
        if message.startswith(b"exit"):
            sys.exit(message[4:].decode() or None)
        if message == b"raise":
            raise ValueError("in a program")
