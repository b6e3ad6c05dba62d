// A fetch handler: a web-standard Request in, a Response out.

import uwsgi from 'uwsgi'

// Every language of this server may call it: uwsgi.call('js_says', ...)
uwsgi.registerRpc('js_says', (who) => `hello ${who}, says JavaScript`, 1)

const call = () => {
  const answer = uwsgi.call('python_says', 'JavaScript') ?? 'no Python here'
  // The cache is shared memory: all workers and all languages count together.
  uwsgi.cacheInc('calls')
  return `${answer} (call ${uwsgi.cacheNum('calls')})\n`
}

export default {
  async fetch(request) {
    const { pathname } = new URL(request.url)
    if (pathname.endsWith('/call')) return new Response(call())
    return new Response(`JavaScript in worker ${uwsgi.workerId()}: ${request.method} ${pathname}\n`)
  },
}
