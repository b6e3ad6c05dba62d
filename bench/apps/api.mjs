// Nanoseconds per call of functions of the uwsgi module, timed inside the handler. The query names the call.
import uwsgi from 'uwsgi'

const value = new Uint8Array(100).fill(0x78)

uwsgi.registerRpc('js_echo', (data) => data)
uwsgi.cacheUpdate('key', value)

const calls = {
  cache_get: () => uwsgi.cacheGet('key'),
  cache_set: () => uwsgi.cacheUpdate('written', value),
  lock: () => {
    uwsgi.lock()
    uwsgi.unlock()
  },
  call_python: () => uwsgi.call('python_echo', 'data'),
  call_lua: () => uwsgi.call('lua_echo', 'data'),
  call_js: () => uwsgi.call('js_echo', 'data'),
  remote: () => uwsgi.rpc(uwsgi.opt.remote, 'upper', 'data'),
  nothing: () => uwsgi.workerId(),
}

export default {
  fetch(request) {
    const [name, count] = new URL(request.url).search.slice(1).split('=')
    const call = calls[name]
    const total = Number(count)
    const start = performance.now()
    for (let index = 0; index < total; index += 1) call()
    return new Response(String(((performance.now() - start) * 1e6) / total))
  },
}
