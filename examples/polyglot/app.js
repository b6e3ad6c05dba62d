// A fetch handler: a web-standard Request in, a Response out.

import uwsgi from 'uwsgi'

export default {
  async fetch(request) {
    const { pathname } = new URL(request.url)
    return new Response(`JavaScript in worker ${uwsgi.workerId()}: ${request.method} ${pathname}\n`)
  },
}
