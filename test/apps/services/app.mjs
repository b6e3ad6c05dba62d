// Registers functions, handlers and hooks while it loads, then runs the JavaScript that is posted.
import uwsgi from 'uwsgi'

const join = (text, bytes) => {
  const head = new TextEncoder().encode(text)
  const whole = new Uint8Array(head.length + bytes.length)
  whole.set(head)
  whole.set(bytes, head.length)
  return whole
}

uwsgi.registerRpc('js_echo', (data) => join('js:', data), 1)
uwsgi.registerRpc('js_fail', () => {
  throw new Error('js says no')
})
uwsgi.registerRpc('js_relay', (target, data) => uwsgi.call(target, data), 2)

const onSignal = (signum) => uwsgi.cacheInc(`js-signal-${signum}`)
uwsgi.registerSignal(12, 'worker', onSignal)
uwsgi.registerSignal(15, 'workers', onSignal)
uwsgi.registerSignal(18, 'mule1', onSignal)
uwsgi.registerSignal(21, '', async () => {
  throw new Error('js signal fails')
})
uwsgi.addRbTimer(12, 1, 3)

if (uwsgi.opt['spool-language'] === 'js') {
  uwsgi.spooler = (env) => {
    uwsgi.cacheUpdate('js-spool', `${env.what} ${env.body ?? ''}`)
    return uwsgi.SPOOL_OK
  }
}
if (uwsgi.opt['mule-language'] === 'js') {
  uwsgi.muleMsgHook = (message) => uwsgi.cacheUpdate(`js-mule-${uwsgi.muleId()}`, message)
}

const AsyncFunction = (async () => {}).constructor

export default {
  async fetch(request) {
    try {
      const answer = await new AsyncFunction('uwsgi', await request.text())(uwsgi)
      return new Response(answer instanceof Uint8Array ? answer : String(answer))
    } catch (error) {
      return new Response(`${error.name} ${error.code ?? ''}: ${error.message}`, { status: 500 })
    }
  },
}
