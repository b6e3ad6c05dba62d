import os
import sys


def application(environ, start_response):
    print("out", end=" ")
    print("of two prints")
    sys.stderr.write("err\nbegun")
    sys.stdout.buffer.write(b"raw \xff\xfe bytes\n")
    sys.stdout.flush()
    print(" and ended", file=environ["wsgi.errors"])
    os.write(1, b"by descriptor\n")
    start_response("200 OK", [])
    return [b""]
