// Runs the JavaScript that the option load-js holds while it loads, and then the JavaScript that is posted.
import uwsgi from 'uwsgi'

const AsyncFunction = (async () => {}).constructor

new Function('uwsgi', String(uwsgi.opt['load-js'] ?? ''))(uwsgi)

export default {
  async fetch(request) {
    const code = (await request.text()) || request.headers.get('x-code') || ''
    try {
      const answer = await new AsyncFunction('uwsgi', 'request', code)(uwsgi, request)
      return new Response(answer instanceof Uint8Array ? answer : String(answer))
    } catch (error) {
      return new Response(`${error.name}${error.code ? ` ${error.code}` : ''}: ${error.message}`, { status: 500 })
    }
  },
}
