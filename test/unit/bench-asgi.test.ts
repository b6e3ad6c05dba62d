import { test } from 'vitest'
import plugin from '../../bindings/python/index.ts'
import { PluginHarness } from '../support/plugin-harness.ts'
import { WholeBody } from '../../host/request/body.ts'
import { WsgiRequest } from '../../host/request/wsgi-request.ts'
import { encodeVars } from '../../protocol/vars.ts'
test('bench', async () => {
  const h = await PluginHarness.boot(plugin)
  const vars: [string, string][] = Object.entries({
    REQUEST_METHOD: 'GET', REQUEST_URI: '/x?y', SCRIPT_NAME: '', PATH_INFO: '/x', QUERY_STRING: 'y', SERVER_PROTOCOL: 'HTTP/1.1',
    SERVER_NAME: 'localhost', SERVER_PORT: '8080', REMOTE_ADDR: '127.0.0.1', REMOTE_PORT: '40000', REQUEST_SCHEME: 'http',
    CONTENT_LENGTH: '', CONTENT_TYPE: '', HTTP_HOST: 'localhost:8080', HTTP_USER_AGENT: 'Mozilla/5.0 (X11; Linux x86_64)', HTTP_ACCEPT: '*/*',
    HTTP_ACCEPT_LANGUAGE: 'en', HTTP_ACCEPT_ENCODING: 'gzip, deflate', HTTP_CONNECTION: 'keep-alive', HTTP_COOKIE: 'a=b; c=d', HTTP_CACHE_CONTROL: 'no-cache',
  })
  const block = encodeVars(vars)
  const sink = () => ({ clientGone: false, send() {}, async sendAsync() {}, cut() {} })
  const none = new WholeBody(new Uint8Array(0))
  const names = ['wsgi', 'asgi', 'awsgi', 'sleepy', 'asgi0']
  const apps = []
  const best = names.map(() => Infinity)
  for (const name of names) apps.push(await h.mount('/tmp/w/asgib/app.py', `/${name}`, name))
  for (let round = 0; round < 30; round += 1) for (const [at, app] of apps.entries()) {
      const n = 2000
      const t = performance.now()
      for (let i = 0; i < n; i += 1) {
        const request = new WsgiRequest({ coreId: 0, modifier1: 0, modifier2: 0, vars: block, body: none, sink: sink(), app })
        const r = plugin.request!(request)
        if (typeof r !== 'number') await r
      }
      best[at] = Math.min(best[at]!, ((performance.now() - t) / n) * 1000)
  }
  console.log(names.map((name, at) => `${name} ${best[at]!.toFixed(2)} us`).join(' '))
})
