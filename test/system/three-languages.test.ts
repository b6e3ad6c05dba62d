// The polyglot example, as a newcomer starts it, reached by curl directly and through nginx: every language answers, by
// every road, from one running server.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Nginx } from '../support/nginx.ts'
import { describeWithPeers, peerPath } from '../support/peers.ts'
import { Server } from '../support/server.ts'
import { getVars, uwsgiRequest } from '../support/uwsgi-client.ts'

const example = fileURLToPath(new URL('../../examples/polyglot', import.meta.url))
const expected = {
  py: /^Python 3\.14\.\d+ in worker [12]: GET \/hello$/,
  lua: /^Lua 5\.4 in worker [12]: GET \/hello$/,
  js: /^JavaScript in worker [12]: GET \/js\/hello$/,
} as const
const languages = ['py', 'lua', 'js'] as const

let server: Server
let folder: string
beforeAll(async () => {
  // The example's own file, but for the ports: those of the example may be taken on the machine that runs the tests.
  folder = mkdtempSync(join(tmpdir(), 'polywsgi-example-'))
  const ini = readFileSync(`${example}/polywsgi.ini`, 'utf8')
  const changed = ini
    .replace('http-socket = 127.0.0.1:8080', 'http-socket = 127.0.0.1:0')
    .replace('socket = 127.0.0.1:3031', 'socket = 127.0.0.1:0')
    .replaceAll('%d', `${example}/`)
  writeFileSync(join(folder, 'polywsgi.ini'), changed)
  server = await Server.start({ args: [join(folder, 'polywsgi.ini')] })
})
afterAll(async () => {
  expect(await server.stop()).toBe(0)
  rmSync(folder, { recursive: true })
})

describe('the polyglot example', () => {
  it.each(languages)('answers a uwsgi client in %s', async (language) => {
    const answer = await uwsgiRequest(server.uwsgi, getVars(`/${language}/hello`, { HTTP_HOST: 'localhost' }))
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(answer.split('\r\n\r\n')[1]?.trim()).toMatch(expected[language])
  })

  it('serves its page at the root, and 404 for what is nowhere', async () => {
    const page = await fetch(`${server.http}/`)
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(await page.text()).toContain('<h1>One server, three languages</h1>')
    const nowhere = await fetch(`${server.http}/nowhere`)
    expect([nowhere.status, await nowhere.text()]).toEqual([404, 'Not Found\n'])
  })

  it('lets each language call the next, and count with the others', async () => {
    const said = new Map<string, string>()
    for (const language of languages) said.set(language, await (await fetch(`${server.http}/${language}/call`)).text())
    expect(said.get('py')).toBe('hello Python, says Lua 5.4 (call 1)\n')
    expect(said.get('lua')).toBe('hello Lua, says JavaScript (call 2)\n')
    expect(said.get('js')).toMatch(/^hello JavaScript, says Python 3\.14\.\d+ \(call 3\)\n$/)
  })

  it('tells which interpreter booted in which worker', () => {
    for (const worker of [1, 2]) {
      for (const language of ['python', 'lua', 'js'])
        expect(server.log).toMatch(new RegExp(`worker ${worker}: ${language} booted in \\d+\\.\\d\\d s`))
    }
  })

  it('serves all three languages at once, many times', async () => {
    const answers = await Promise.all(
      Array.from({ length: 150 }, async (_, n) => {
        const language = languages[n % 3]!
        const response = await fetch(`${server.http}/${language}/hello`)
        return expected[language].test((await response.text()).trim()) ? 'right' : 'wrong'
      }),
    )
    expect(answers).toEqual(Array(150).fill('right'))
  })
})

describeWithPeers('curl', ['curl'], () => {
  it.each(languages)('gets the answer of %s', (language) => {
    const { stdout } = spawnSync(peerPath('curl'), ['-sS', `${server.http}/${language}/hello`])
    expect(String(stdout).trim()).toMatch(expected[language])
  })
})

describeWithPeers('nginx in front', ['nginx', 'curl'], () => {
  let nginx: Nginx
  beforeAll(async () => {
    nginx = await Nginx.start(`
      location / { UWSGI_PARAMS uwsgi_pass ${server.uwsgi}; }
      location /by-http/ { proxy_pass ${server.http}/; proxy_http_version 1.1; proxy_set_header Connection ""; }`)
  })
  afterAll(async () => await nginx[Symbol.asyncDispose]())

  it.each(languages)('reaches %s over the uwsgi protocol', (language) => {
    const { stdout } = spawnSync(peerPath('curl'), ['-sS', `${nginx.url}/${language}/hello`])
    expect(String(stdout).trim()).toMatch(expected[language])
  })

  it.each(languages)('reaches %s over kept-alive HTTP', async (language) => {
    for (let n = 0; n < 3; n += 1) {
      expect((await (await fetch(`${nginx.url}/by-http/${language}/hello`)).text()).trim()).toMatch(expected[language])
    }
  })

  it('passes status, headers and methods on, both ways', async () => {
    const response = await fetch(`${nginx.url}/nowhere`, { method: 'POST', body: 'x'.repeat(100_000) })
    expect(response.status).toBe(404)
    const head = await fetch(`${nginx.url}/py/hello`, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
    expect(Number(head.headers.get('content-length'))).toBeGreaterThan(20)
  })
})
