// The embedding API of the built package, from a program's point of view.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { AppLoadError, ConfigError, createHost } from 'polywsgi'
import { describe, expect, it } from 'vitest'
import { Gate } from '../support/probe.ts'

const apps = fileURLToPath(new URL('../apps/system', import.meta.url))
const polyglot = fileURLToPath(new URL('../../examples/polyglot', import.meta.url))
const probe = `${apps}/probe-plugin.mjs`

describe('an embedded host', () => {
  it('answers fetch() in every language, without any socket', async () => {
    await using host = await createHost({ cwd: polyglot, mounts: { '/py': 'app.py', '/lua': 'app.lua', '/js': 'app.js' } })
    expect(host.sockets).toEqual([])
    expect(await (await host.fetch('http://localhost/py/a')).text()).toMatch(/^Python .* in worker 1: GET \/a\n$/)
    expect(await (await host.fetch('http://localhost/lua/a')).text()).toBe('Lua 5.4 in worker 1: GET /a\n')
    expect(await (await host.fetch(new Request('http://localhost/js/a', { method: 'PUT', body: 'x' }))).text()).toBe(
      'JavaScript in worker 1: PUT /js/a\n',
    )
  })

  it('passes method, headers and body to the app, and status and headers back', async () => {
    await using host = await createHost({ plugin: [probe], httpSocketModifier1: 250, needApp: false })
    const bytes = Uint8Array.from({ length: 300_000 }, (_, index) => (index * 13) & 255)
    const echo = await host.fetch('http://localhost/echo', { method: 'POST', body: bytes })
    expect(Buffer.compare(await echo.bytes(), bytes)).toBe(0)
    const vars = await (await host.fetch('http://example.org:81/vars?q', { headers: { 'X-Own': 'v' } })).text()
    for (const line of ['HTTP_HOST=example.org:81', 'HTTP_X_OWN=v', 'QUERY_STRING=q', 'PATH_INFO=/vars'])
      expect(vars).toContain(`${line}\n`)
    const status = await host.fetch('http://localhost/status?418%20Teapot')
    expect([status.status, status.statusText]).toEqual([418, 'Teapot'])
    expect((await host.fetch('http://localhost/throw')).status).toBe(500)
    // A status that uwsgi can carry and a Response cannot.
    expect((await host.fetch('http://localhost/status?999%20Odd')).status).toBe(500)
    expect((await host.fetch('http://localhost/die')).status).toBe(500)
    expect(await (await host.fetch('http://localhost/worker')).text()).toBe('1')
  })

  it('streams a response, and stops its app when the reader cancels or aborts', async () => {
    await using host = await createHost({ plugin: [probe], httpSocketModifier1: 250, needApp: false, async: 4 })
    using gate = new Gate()
    const response = await host.fetch(`http://localhost/two-chunks?${gate.query}`)
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    expect((await reader.read()).value).toBe('first\n')
    gate.open()
    expect((await reader.read()).value).toBe('second\n')
    const endless = await host.fetch('http://localhost/until-gone')
    await endless.body!.cancel()
    const controller = new AbortController()
    const aborted = await host.fetch('http://localhost/until-gone', { signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(aborted.text()).rejects.toThrow('enough')
    // Both apps end when they notice, and their cores come back: all four are free for these.
    using other = new Gate()
    const waiting = Array.from({ length: 4 }, () => host.fetch(`http://localhost/wait?${other.query}`))
    other.open()
    for (const response of waiting) expect(await (await response).text()).toBe('waited in 1')
  })

  it('is a listener for node:http, and binds sockets of its own', async () => {
    await using host = await createHost({ cwd: polyglot, mounts: { '/lua': 'app.lua' } })
    const server = createServer(host.handler).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    expect(await (await fetch(`http://127.0.0.1:${port}/lua/x`)).text()).toBe('Lua 5.4 in worker 1: GET /x\n')
    server.close()
    server.closeAllConnections()
    const [http] = await host.listen({ http: '127.0.0.1:0' })
    expect(await (await fetch(`http://${http?.address}/lua/y`)).text()).toBe('Lua 5.4 in worker 1: GET /y\n')
    expect(host.sockets).toEqual([http])
  })

  it('shares nothing with another host in the same process', async () => {
    await using one = await createHost({ cwd: polyglot, mounts: { '/a': 'app.lua' } })
    await using other = await createHost({ cwd: polyglot, mounts: { '/b': 'app.lua', '/c': 'app.js' } })
    expect((await one.fetch('http://localhost/a')).status).toBe(200)
    expect((await other.fetch('http://localhost/a')).status).toBe(404)
    await one.close()
    expect((await other.fetch('http://localhost/b')).status).toBe(200)
  })

  it('refuses options it does not know, values out of range, and apps that do not load', async () => {
    await expect(createHost({ wokers: 2 } as object)).rejects.toThrow(ConfigError)
    await expect(createHost({ wokers: 2 } as object)).rejects.toThrow(/wokers.*workers/)
    await expect(createHost({ bufferSize: 70_000 })).rejects.toThrow(/65535/)
    await expect(createHost({ cwd: apps, mounts: { '/x': 'broken.lua' } })).rejects.toThrow(AppLoadError)
    await expect(createHost({ cwd: apps, mounts: { '/x': 'broken.lua' } })).rejects.toThrow(/unable to load the app at \/x/)
  })

  it('refuses requests once it is closed', async () => {
    const host = await createHost({ cwd: polyglot, mounts: { '/lua': 'app.lua' } })
    await host.close()
    await host.close()
    await expect(host.fetch('http://localhost/lua')).rejects.toThrow('the host is closed')
  })
})

describe('the Express example', () => {
  it('serves its own routes and the guests', async () => {
    const path = fileURLToPath(new URL('../../examples/express/server.ts', import.meta.url))
    const child = spawn(process.execPath, [path], { env: { ...process.env, PORT: '0' }, stdio: ['ignore', 'pipe', 'inherit'] })
    const exit = once(child, 'exit')
    let said = ''
    for await (const text of child.stdout.setEncoding('utf8')) {
      said += text
      if (/listening on/.test(said) && /from-fetch/.test(said)) break
    }
    const url = /listening on (\S+)/.exec(said)?.[1]
    expect(said).toMatch(/Python .* in worker 1: GET \/from-fetch/)
    expect(await (await fetch(`${url}/`)).text()).toBe('Express here. Guests live at /py and /lua.\n')
    expect(await (await fetch(`${url}/lua/from-express`)).text()).toBe('Lua 5.4 in worker 1: GET /from-express\n')
    child.kill('SIGTERM')
    expect((await exit)[0]).toBe(0)
  })
})
