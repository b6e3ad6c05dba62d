# The server that `uwsgi.rpc` of the benchmark asks.
import uwsgi

uwsgi.register_rpc("upper", lambda data: data.upper())


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"node"]
