# A mule's own program: answers each message by the cache.
import uwsgi

while True:
    message = uwsgi.mule_get_msg()
    uwsgi.cache_update("program-python", message)
