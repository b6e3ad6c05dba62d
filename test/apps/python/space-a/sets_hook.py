"""Sets a hook that imports siblings which the other space has too."""

import uwsgi


def after():
    import lazy
    import settings

    uwsgi.log(f"after: {settings.NAME}, {lazy.NAME}")
    del uwsgi.after_req_hook


uwsgi.after_req_hook = after


def application(environ, start_response):
    start_response("200 OK", [])
    return []
