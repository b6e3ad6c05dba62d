"""Says what it was asked: environ, body, in forms that keep every byte visible."""

import json


def application(environ, start_response):
    shown = {
        key: value if isinstance(value, (str, int, bool)) else f"{type(value).__name__} {value!r}"
        for key, value in environ.items()
        if key not in ("wsgi.input", "wsgi.errors", "wsgi.file_wrapper")
    }
    shown["types"] = {key: type(value).__name__ for key, value in environ.items()}
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(shown).encode()]


def body(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    return [environ["wsgi.input"].read()]


def changes_environ(environ, start_response):
    seen = f"{environ.get('HTTP_X_MARK', '')}{environ['PATH_INFO']} {'surplus' in environ}"
    environ["HTTP_X_MARK"] = "left behind"
    environ["PATH_INFO"] = "left behind"
    environ["surplus"] = 1
    start_response("200 OK", [])
    return [seen.encode()]


def collector(environ, start_response):
    """Looks for environs among all objects that the garbage collector knows."""
    import gc

    others = [found for found in gc.get_objects() if type(found) is dict and found.get("wsgi.version") and found is not environ]
    start_response("200 OK", [])
    return [f"{'tracked' if gc.is_tracked(environ) else 'lost'}, {'alone' if not others else len(others)}".encode()]
