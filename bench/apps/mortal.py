"""Answers which language it is; a request for /die takes its process with it, as a crash would."""

import os
import signal


def application(environ, start_response):
    if environ['PATH_INFO'].endswith('/die'):
        os.kill(os.getpid(), signal.SIGKILL)
    start_response('200 OK', [('Content-Type', 'text/plain'), ('Content-Length', '6')])
    return [b'python']
