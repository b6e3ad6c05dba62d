# Answers with the options of the greeter as an application sees them.
import uwsgi


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [repr({name: value for name, value in sorted(uwsgi.opt.items()) if name.startswith("greeter")}).encode()]
