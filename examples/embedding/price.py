"""The rules of the shop, in Python: what an item costs. What it cost to buy, only the embedding program knows."""

import uwsgi


def price(item):
    net = uwsgi.call("list_price", item)
    if not net:
        uwsgi.signal(1)
        return None
    uwsgi.cache_inc("asked")
    return uwsgi.call("with_tax", b"%d" % (float(net) * 130))


uwsgi.register_rpc("price", price, 1)


def application(environ, start_response):
    answer = price(environ["PATH_INFO"][1:].encode())
    start_response("200 OK" if answer else "404 Not Found", [("Content-Type", "text/plain")])
    return [answer or b"no such item"]
