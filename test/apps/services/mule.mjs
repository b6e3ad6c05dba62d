// A mule's own program: answers each message by the cache.
import uwsgi from 'uwsgi'

for (;;) {
  const message = uwsgi.muleGetMsg()
  uwsgi.cacheUpdate('program-js', message)
}
