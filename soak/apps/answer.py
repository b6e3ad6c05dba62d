# Reads what came and answers in one word; a second request that was hidden in a first one betrays itself by its path.


def application(environ, start_response):
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("X-Length", str(len(body)))])
    return [b"SMUGGLED" if "smuggled" in environ.get("PATH_INFO", "") else b"python"]
