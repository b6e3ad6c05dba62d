// The same app files behind real uWSGI and behind polywsgi, asked the same over the uwsgi protocol: the bytes that come
// back must be the same.
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeWithPeers } from '../support/peers.ts'
import { RealUwsgi } from '../support/real-uwsgi.ts'
import { Server } from '../support/server.ts'
import { getVars, uwsgiRequest } from '../support/uwsgi-client.ts'

const apps = fileURLToPath(new URL('../apps/system', import.meta.url))

interface Question {
  readonly path: string
  readonly body?: string
  readonly vars?: Record<string, string>
}

const languages: readonly {
  name: string
  plugin: string
  flag: string
  file: string
  modifier1: number
  questions: readonly Question[]
}[] = [
  {
    name: 'Python',
    plugin: 'python3',
    flag: '--wsgi-file',
    file: `${apps}/oracle.py`,
    modifier1: 0,
    questions: [
      { path: '/hello' },
      { path: '/hello', vars: { SERVER_PROTOCOL: 'HTTP/1.0' } },
      { path: '/hello', vars: { SERVER_PROTOCOL: '' } },
      { path: '/chunks' },
      { path: '/generator' },
      { path: '/empty' },
      { path: '/short-status' },
      { path: '/own-reason' },
      { path: '/written' },
      { path: '/one-bytes' },
      { path: '/echo', body: 'body \x00\xff\x80 bytes' },
      { path: '/echo', body: 'x'.repeat(200_000) },
      { path: '/lines', body: 'first\nsecond\nthird\nfourth\nfifth' },
      { path: '/variables?a=b&c=%20', vars: { HTTP_X_BYTES: '\xff\x80', CONTENT_TYPE: 'a/b' } },
      { path: '/variables', vars: { HTTPS: 'on' } },
      { path: '/variables', vars: { UWSGI_SCHEME: 'https' } },
    ],
  },
  {
    name: 'Lua',
    plugin: 'lua51',
    flag: '--lua',
    file: `${apps}/oracle.lua`,
    modifier1: 6,
    questions: [
      { path: '/hello' },
      { path: '/hello', vars: { SERVER_PROTOCOL: 'HTTP/1.0' } },
      { path: '/chunks' },
      { path: '/number' },
      { path: '/repeated' },
      { path: '/binary' },
      { path: '/echo', body: 'body \x00\xff\x80 bytes' },
      { path: '/echo', body: 'x'.repeat(200_000) },
      { path: '/pieces', body: '1234567890' },
      { path: '/variables?a=b', vars: { HTTP_X_BYTES: '\xff\x80' } },
    ],
  },
]

for (const { name, plugin, flag, file, modifier1, questions } of languages) {
  describeWithPeers(`a ${name} app answers as behind real uWSGI`, ['uwsgi'], () => {
    let real: RealUwsgi
    let ours: Server
    beforeAll(async () => {
      real = await RealUwsgi.start('--plugin', plugin, flag, file)
      ours = await Server.start({ args: ['--socket', '127.0.0.1:0', flag, file] })
    })
    afterAll(async () => {
      await real[Symbol.asyncDispose]()
      expect(await ours.stop()).toBe(0)
    })

    it.each(questions)('$path $vars', async ({ path, body, vars }) => {
      const all = getVars(path, { REQUEST_METHOD: body === undefined ? 'GET' : 'POST', ...vars })
      const bytes = Buffer.from(body ?? '', 'latin1')
      const expected = await uwsgiRequest(real.address, all, bytes, modifier1)
      expect(expected).not.toBe('')
      expect(await uwsgiRequest(ours.uwsgi, all, bytes, modifier1)).toBe(expected)
    })
  })
}
