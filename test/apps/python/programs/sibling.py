NAME = "sibling"


def main():
    import uwsgi

    uwsgi.register_rpc("module", lambda: __name__.encode())
    uwsgi.mule_get_msg()


async def waits_for_nothing():
    main()
