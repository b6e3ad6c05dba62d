// What a guest takes too much of, in each language: an error in that guest, named, and a worker that serves on.
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect, createServer, type Server as NetServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, inFolder, type Language, languages, run, start } from '../support/faults-server.ts'
import { Server } from '../support/server.ts'

type PerLanguage<Value> = Readonly<Record<Language, Value>>

/** How an app answers with code of its own in place of the console's: by its whole response. */
const writing: PerLanguage<(bytes: number) => string> = {
  python: (bytes) => `return b"x" * ${bytes}`,
  lua: (bytes) => `return ("x"):rep(${bytes})`,
  js: (bytes) => `return "x".repeat(${bytes})`,
}

const alive = async (server: Server): Promise<void> => {
  for (const language of languages) expect(await run(server, language, 'return 6 * 7')).toBe('42')
}

describe('the size of a response', () => {
  const limit = 100_000
  let server: Server
  beforeAll(async () => {
    server = await start({}, '--response-limit', String(limit))
  })
  afterAll(async () => {
    expect(await server.stop()).toBe(0)
  })

  it.each(languages)('may be what the limit says in %s, and is a 500 past it', async (language) => {
    expect((await ask(server, language, writing[language](limit))).text).toHaveLength(limit)
    const answer = await ask(server, language, writing[language](limit + 1))
    expect([answer.status, answer.text]).toEqual([500, 'Internal Server Error'])
    await server.logged(`the body of the response has more than ${limit} bytes (response-limit)`)
    await alive(server)
  })

  it.each([
    [
      'python',
      'try:\n  for _ in range(200): uwsgi.send(b"y" * 1000)\nexcept Exception as error: uwsgi.log(f"python saw {error}")',
    ],
    [
      'lua',
      'local _, message = pcall(function() for _ = 1, 200 do uwsgi.send(("y"):rep(1000)) end end) uwsgi.log("lua saw " .. tostring(message))',
    ],
    [
      'js',
      'try { for (let n = 0; n < 200; n += 1) uwsgi.send("y".repeat(1000)) } catch (error) { uwsgi.log("js saw " + error.message) }',
    ],
  ] as const)('that has begun in %s ends there, with an error in the guest', async (language, code) => {
    const { hostname, port } = new URL(server.http)
    const socket = connect(Number(port), hostname)
    socket.write(`POST /${language} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${code.length}\r\n\r\n${code}`)
    let size = 0
    for await (const chunk of socket) size += chunk.length
    expect(size).toBe(limit)
    await server.logged(new RegExp(`${language} saw .*the body of the response has more than ${limit} bytes`))
    await alive(server)
  })
})

describe('the size of a response that is streamed', () => {
  // The console's apps answer as a whole: these stream a byte at a time for as long as the query says.
  const apps: PerLanguage<readonly [name: string, code: string]> = {
    python: [
      'stream.py',
      'def application(environ, start_response):\n    start_response("200 OK", [])\n    return (b"x" for _ in range(int(environ["QUERY_STRING"])))',
    ],
    lua: [
      'stream.lua',
      'return function(env)\n  return 200, {}, coroutine.wrap(function() for _ = 1, tonumber(env.QUERY_STRING) do coroutine.yield("x") end end)\nend',
    ],
    js: [
      'stream.mjs',
      'async function* body(n) { for (let at = 0; at < n; at += 1) { await null; yield "x" } }\nexport default (request) => new Response(body(Number(new URL(request.url).search.slice(1))))',
    ],
  }
  const limit = 10

  /** All that came, and whether the body had its end. */
  const read = async (http: string, method: string, path: string): Promise<string> => {
    const { hostname, port } = new URL(http)
    const socket = connect(Number(port), hostname)
    socket.write(`${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
    let text = ''
    for await (const chunk of socket) text += chunk
    return text
  }

  it.each(languages)('is not taken for the whole past the limit, in %s, and nothing of it ends the worker', async (language) => {
    await inFolder(async (folder) => {
      const [name, code] = apps[language]
      writeFileSync(join(folder, name), code)
      // The server's own 500 has more bytes than that.
      const args = ['--http-socket', '127.0.0.1:0', '--mount', `/=${name}`, '--response-limit', String(limit)]
      await using server = await Server.start({ cwd: folder, args })
      const whole = await read(server.http, 'GET', `/?${limit}`)
      expect(whole).toMatch(/^HTTP\/1\.1 200 /)
      expect(whole).toMatch(/0\r\n\r\n$|Content-Length: 10\r\n/)
      const cut = await read(server.http, 'GET', `/?${limit + 1}`)
      // Either nothing was sent before the limit was met, or what was has no end.
      if (cut.startsWith('HTTP/1.1 200 ')) expect(cut).not.toMatch(/0\r\n\r\n$/)
      else expect(cut).toMatch(/^HTTP\/1\.1 500 /)
      expect(await read(server.http, 'HEAD', `/?${limit + 1}`)).toMatch(/^HTTP\/1\.1 (200|500) /)
      await server.logged(`the body of the response has more than ${limit} bytes (response-limit)`)
      expect(server.log).not.toContain('DAMN')
      expect(await read(server.http, 'GET', `/?${limit}`)).toMatch(/^HTTP\/1\.1 200 /)
    })
  })
})

describe('open connections and files', () => {
  const most = 3
  let server: Server
  let peer: NetServer
  let port: number
  beforeAll(async () => {
    peer = createServer().listen(0, '127.0.0.1')
    await once(peer, 'listening')
    port = (peer.address() as { port: number }).port
  })
  afterAll(() => {
    peer.close()
  })

  it.each([
    ['python', (to: string) => `return [uwsgi.connect("${to}") for _ in range(${most + 1})]`],
    ['lua', (to: string) => `for _ = 1, ${most + 1} do uwsgi.connect("${to}") end`],
    ['js', (to: string) => `for (let n = 0; n < ${most + 1}; n += 1) uwsgi.connect("${to}")`],
  ] as const)('are so many in %s, and one more is an error that says so', async (language, code) => {
    server = await start({}, '--guest-fds', String(most))
    const answer = await ask(server, language, code(`127.0.0.1:${port}`))
    expect(answer.status).toBe(500)
    expect(answer.text).toContain(`uwsgi.connect(): there are ${most} open connections already: close some`)
    await alive(server)
    expect(await server.stop()).toBe(0)
  })

  it.each([
    ['python', `return len([open(PATH) for _ in range(${most + 1})])`, /OSError: \[Errno \d+\] No file descriptors/],
    ['lua', `local kept = {} for n = 1, ${most + 1} do kept[n] = assert(io.open(PATH)) end`, `more than ${most} files are open`],
    // It has no open files: each call opens one and closes it.
    ['js', `const fs = await import("uwsgi/fs"); for (let n = 0; n < 10; n += 1) fs.readFile(PATH); return 'read'`, 'read'],
  ] as const)('and so many files in %s', async (language, code, text) => {
    await inFolder(async (folder) => {
      const path = join(folder, 'file')
      writeFileSync(path, 'text')
      await using one = await start({}, '--guest-fds', String(most), '--allow-read', folder)
      expect((await ask(one, language, code.replace('PATH', JSON.stringify(path)))).text).toMatch(text)
      await alive(one)
    })
  })
})

describe('lines in the log', () => {
  it.each([
    ['python', 'for n in range(1000): uwsgi.log(f"flood {n};")'],
    ['lua', 'for n = 0, 999 do uwsgi.log("flood " .. n .. ";") end'],
    ['js', 'for (let n = 0; n < 1000; n += 1) uwsgi.log("flood " + n)'],
  ] as const)('are so many a second in %s, and one that tells of the rest', async (language, code) => {
    await using server = await start({}, '--log-rate', '10')
    await run(server, language, code)
    await server.logged(/\[log-rate\] worker 1: \d+ more lines in a second than the 10 that guests may log were dropped/)
    const lines = server.log.split('\n').filter((line) => line.startsWith('flood')).length
    const dropped = [...server.log.matchAll(/worker 1: (\d+) more lines/g)].reduce((sum, [, count]) => sum + Number(count), 0)
    expect(lines).toBeGreaterThanOrEqual(10)
    expect(lines + dropped).toBeLessThanOrEqual(1000)
    // The server's own lines are not among them.
    expect(server.log).toContain(`POST /${language}`)
    await alive(server)
  })
})

describe('memory', () => {
  let server: Server
  beforeAll(async () => {
    server = await start({}, '--memory-limit', '64m')
  })
  afterAll(async () => {
    expect(await server.stop()).toBe(0)
  })

  it.each([
    ['python', 'kept = []\nwhile True: kept.append(bytearray(1000000))', /MemoryError/],
    ['lua', 'local kept = {} while true do kept[#kept + 1] = ("x"):rep(1000000) .. #kept end', /not enough memory/],
    ['js', 'const kept = []; for (;;) kept.push(new Uint8Array(1000000))', /out of memory/],
  ] as const)('that %s code asks for without end is an error in it', async (language, code, error) => {
    const answer = await ask(server, language, code)
    expect([answer.status, answer.text]).toEqual([500, expect.stringMatching(error)])
    expect(server.log).not.toContain('DAMN')
    await alive(server)
  })
})

describe('the stack', () => {
  let server: Server
  beforeAll(async () => {
    server = await start({})
  })
  afterAll(async () => {
    expect(await server.stop()).toBe(0)
  })

  it.each([
    ['python', 'def f(n): return f(n + 1) + 1\nreturn f(0)', /RecursionError/],
    ['lua', 'local function f(n) return f(n + 1) + 1 end return f(0)', /stack overflow/],
    ['js', 'const f = (n) => f(n + 1) + 1; return f(0)', /stack/],
  ] as const)('recursion without end in %s is an error in it', async (language, code, error) => {
    const answer = await ask(server, language, code)
    expect([answer.status, answer.text]).toEqual([500, expect.stringMatching(error)])
    expect(server.log).not.toContain('DAMN')
    await alive(server)
  })
})

describe('recursion past what Python itself holds', () => {
  it.each([
    ['a limit that the guest has lifted', 'import sys\nsys.setrecursionlimit(10**6)\ndef f(n): return f(n + 1) + 1\nreturn f(0)'],
    ['a structure that is nested too deep', 'deep = []\nfor _ in range(300000): deep = [deep]\nreturn repr(deep)'],
  ])('costs at most the worker: %s', async (_, code) => {
    await using server = await start({})
    const answer = await ask(server, 'python', code)
    expect(answer.status).toBe(500)
    await alive(server)
  })
})
