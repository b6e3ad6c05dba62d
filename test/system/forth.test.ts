// The fourth language in the real program: a plugin that is loaded by its path, beside the three that come with the server.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ApiEntry, ApiParameter } from '../../host/api/kinds.ts'
import { apiTable } from '../../host/api/table/index.ts'
import { Server } from '../support/server.ts'
import { getVars, uwsgiRequest } from '../support/uwsgi-client.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const plugin = ['--plugin', `${root}examples/plugins/forth/forth_plugin.ts`]
const services = `${root}test/apps/services`
const mounts = [`/python=${services}/app.py`, `/lua=${services}/app.lua`, `/js=${services}/app.mjs`]
const forthMount = `/forth=${root}test/apps/forth/services.fs`
const cache = ['--cache2', 'name=default,items=100,blocksize=4096']
const base = ['--http-socket', '127.0.0.1:0', ...plugin, ...cache]
const all = [...mounts, forthMount].flatMap((mount) => ['--mount', mount])

const isRequired = (param: ApiParameter): boolean => param.default === undefined

type Language = 'python' | 'lua' | 'js' | 'forth'
const others = ['python', 'lua', 'js'] as const

const post = (server: Server, language: Language, code: string): Promise<Response> =>
  fetch(`${server.http}/${language}`, { method: 'POST', body: Buffer.from(code, 'latin1') })

const run = async (server: Server, language: Language, code: string): Promise<string> =>
  Buffer.from(await (await post(server, language, code)).arrayBuffer()).toString('latin1')

/** Asks again until the answer is the wanted one: what is awaited comes by itself, and a test that waits in vain times out. */
const eventually = async (ask: () => Promise<string>, wanted: string): Promise<void> => {
  for (let answer = ''; answer !== wanted; answer = await ask()) await new Promise((resolve) => setImmediate(resolve))
}

const cacheNumber = (server: Server, key: string) => run(server, 'lua', `return uwsgi.cache_num('${key}')`)
const cacheText = (server: Server, key: string) => run(server, 'lua', `return uwsgi.cache_get('${key}')`)

describe('Forth beside the others', () => {
  let server: Server
  beforeAll(async () => {
    server = await Server.start({ args: [...base, '--socket', '127.0.0.1:0', ...all] })
  })
  afterAll(async () => {
    expect(await server.stop()).toBe(0)
  })

  const bytes = 'a\\0\\xff\\x80z'
  const calls = {
    python: (name: string) => `return uwsgi.call('${name}', b'${bytes}')`,
    lua: (name: string) => `return uwsgi.call('${name}', '${bytes}')`,
    js: (name: string) => `return uwsgi.call('${name}', new Uint8Array([97, 0, 255, 128, 122]))`,
  }

  it.each(others)('is called by %s, bytes intact, and raises there', async (language) => {
    expect(await run(server, language, calls[language]('forth_echo'))).toBe('forth:a\0\xff\x80z')
    const failure = await run(server, language, calls[language]('forth_fail'))
    expect(failure).toContain("rpc function 'forth_fail' (forth) raised: aborted: forth says no")
  })

  it.each(others)('calls %s, bytes intact, and fails where that fails', async (language) => {
    expect(await run(server, 'forth', `s" a\0\xff\x80z" 1 rpc" ${language}_echo" type`)).toBe(`${language}:a\0\xff\x80z`)
    const caught = await run(server, 'forth', `: t s" x" 1 rpc" ${language}_fail" ; ' t catch . error-message type`)
    expect(caught).toContain('-256 the host refused: ')
    expect(caught).toContain(`${language} says no`)
  })

  it('is one of many in a chain of calls', async () => {
    expect(await run(server, 'python', "return uwsgi.call('forth_relay', b'lua_echo', b'x')")).toBe('lua:x')
    expect(await run(server, 'forth', 's" forth_echo" s" x" 2 rpc" js_relay" type')).toBe('forth:x')
    expect(await run(server, 'lua', "return uwsgi.call('forth_relay', 'forth_echo', 'x')")).toBe('forth:x')
    expect(await run(server, 'forth', 's" x" 1 rpc" nobody" . .')).toBe('0 0 ')
  })

  it('shares the cache', async () => {
    await run(server, 'forth', 's" from-forth" s" \0\xff\x80" cache-update drop')
    expect(await cacheText(server, 'from-forth')).toBe('\0\xff\x80')
    await run(server, 'python', "uwsgi.cache_update('from-python', b'\\0\\xfe')")
    expect(await run(server, 'forth', 's" from-python" cache-get type')).toBe('\0\xfe')
    expect(await run(server, 'forth', 's" together" cache-inc . s" together" 5 cache-inc/2 .')).toBe('-1 -1 ')
    await run(server, 'js', "uwsgi.cacheInc('together')")
    expect(await run(server, 'forth', 's" together" cache-num .')).toBe('7 ')
    expect(await run(server, 'forth', 's" nothing" cache-get . .')).toBe('0 0 ')
  })

  it('is reached by the uwsgi protocol, with and without its modifier', async () => {
    const vars = getVars('/forth', { REQUEST_METHOD: 'POST' })
    const body = Buffer.from('." forth" path-info type')
    for (const modifier1 of [0, 240]) {
      const answer = await uwsgiRequest(server.uwsgi, vars, body, modifier1)
      expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\nContent-Type: text\/plain; charset=utf-8\r\nContent-Length: 5\r\n\r\nforth$/)
    }
    // The language's only app, wherever it is mounted.
    expect(await uwsgiRequest(server.uwsgi, { ...vars, PATH_INFO: '/x' }, Buffer.from('path-info type'), 240)).toMatch(
      /\r\n\r\n\/x$/,
    )
  })

  it('fails with a 500 and a trace in the log', async () => {
    const response = await post(server, 'forth', '1 2\n  frob')
    expect([response.status, await response.text()]).toEqual([500, 'Internal Server Error'])
    await server.logged(
      /\(evaluate\):2:3: undefined word: frob\n {2}in the source \(\(evaluate\):2:3\)\n {2}in handle \(.*services\.fs:18:16\)/,
    )
  })

  it.each([
    ['an endless loop', ': t begin again ; t', 'too many steps'],
    ['endless output to nobody', ': t begin 1 drop s" x" 2drop again ; t', 'too many steps'],
    ['endless recursion', ': t recurse 1 drop ; t', 'return stack overflow'],
    ['endless memory', ': t begin 1000000 allot again ; t', 'memory exhausted'],
  ])('ends %s, and goes on', async (_, code, message) => {
    const response = await post(server, 'forth', code)
    expect(response.status).toBe(500)
    await server.logged(message)
    expect(await run(server, 'forth', '1 2 + .')).toBe('3 ')
    expect(await run(server, 'python', "return b'alive'")).toBe('alive')
  })

  it('cuts a response that fails after it was begun', async () => {
    const response = await post(server, 'forth', 's" begun" write 1 0 /')
    expect(response.status).toBe(200)
    await expect(response.text()).rejects.toThrow()
  })
})

describe('signals', () => {
  it('raised in another language are handled in Forth, and the other way', async () => {
    await using server = await Server.start({ args: [...base, '--workers', '2', '--mule', ...all] })
    await run(server, 'python', 'uwsgi.signal(30)\nuwsgi.signal(31)')
    await run(server, 'lua', 'uwsgi.signal(32)')
    await eventually(() => cacheNumber(server, 'forth-signal-30'), '1')
    await eventually(() => cacheNumber(server, 'forth-signal-31'), '2')
    await eventually(() => cacheNumber(server, 'forth-signal-32'), '1')
    await run(server, 'forth', '16 signal 17 signal 18 signal')
    for (const [index, language] of others.entries())
      await eventually(() => cacheNumber(server, `${language}-signal-${16 + index}`), '1')
    await run(server, 'js', 'uwsgi.signal(33)')
    await server.logged(/services\.fs:15:36: aborted: forth signal fails/)
    await server.logged(/error managing signal 33 on worker \d/)
    expect(server.log).toMatch(/signum 30 registered \(wid: \d modifier1: 240 target: worker\)/)
  })
})

describe('mules and spoolers', () => {
  it('call words of a program', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'polywsgi-forth-'))
    mkdirSync(join(folder, 'spool'))
    try {
      await using server = await Server.start({
        args: [
          ...[
            ...base,
            '--mule',
            '--spooler',
            join(folder, 'spool'),
            '--spooler-frequency',
            '1',
            '--mount',
            `/mule=${root}test/apps/forth/mule.fs`,
          ],
          ...['--mount', forthMount, '--mount', `/lua=${services}/app.lua`],
        ],
      })
      expect(await run(server, 'forth', 's" to \0\xff" 1 as-int mule-msg/2 .')).toBe('-1 ')
      await eventually(() => cacheText(server, 'forth-mule'), 'to \0\xff')
      await run(server, 'forth', 's" body" s" job \0" 1 spool type')
      await eventually(() => cacheText(server, 'forth-spool'), 'job \0')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('the uwsgi module', () => {
  /** An argument of each type that most functions can do something with. */
  const argument: Readonly<Record<ApiParameter['type'], string>> = {
    int: '1',
    int64: '1',
    bool: 'true',
    float: 's" 0.1"',
    text: 's" mine"',
    bytes: 's" 12345678"',
    'int|bytes': '1 as-int',
    function: "['] drop",
    dict: 's" k" s" v" 1',
  }
  /** They wait for what does not come, or take the response away, or the server. */
  const notHere = ['signal_wait', 'disconnect', 'send', 'reload', 'stop']

  it('has every function, each called in a request, and tells what it refuses', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'polywsgi-forth-'))
    mkdirSync(join(folder, 'spool'))
    try {
      await using server = await Server.start({
        args: [
          ...['--http-socket', '127.0.0.1:0', ...plugin, '--mount', forthMount],
          ...['--cache2', 'name=mine,items=100,blocksize=4096', '--locks', '4', '--queue', '16', '--queue-blocksize', '1024'],
          ...['--sharedarea', '1', '--sharedarea', '1', '--metric', 'mine', '--mule', '--farm', 'mine:1', '--alarm', 'mine log:'],
          ...['--spooler', join(folder, 'spool')],
        ],
      })
      const refused: string[] = []
      const functions = (apiTable as readonly ApiEntry[]).filter((entry) => entry.shape === 'function')
      for (const { name, params } of functions.filter((entry) => !notHere.includes(entry.name))) {
        // Every argument, the optional ones too: a function is called under its longest name.
        const optional = params.some(
          (param) => param.default !== undefined && !params.slice(params.indexOf(param)).some(isRequired),
        )
        const args = params.map((param) => (param.variadic ? '0' : argument[param.type])).join(' ')
        const word = `uwsgi.${name.replaceAll('_', '-')}${optional ? `/${params.length}` : ''}`
        const undo = /_[rw]lock$/.test(name) ? '1 uwsgi.sharedarea-unlock' : ''
        const answer = await run(server, 'forth', `: t ${args} ${word} ${undo} ; ' t catch . error-message type`)
        expect([name, answer]).toEqual([name, expect.stringMatching(/^(?:0|-256 the host refused: uwsgi\..+)/)])
        if (answer !== '0 ') refused.push(name)
      }
      // What cannot be done in a worker, or not with such arguments: names of nothing, no connection, no file, one argument too few.
      expect(refused).toEqual(
        'signal register_signal add_file_monitor call mule_get_msg farm_get_msg async_connect wait_fd_read wait_fd_write recv connect sendfile'.split(
          ' ',
        ),
      )
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('the option', () => {
  it('says how many steps there are', async () => {
    await using server = await Server.start({ args: [...base, '--forth-max-steps', '2000', '--mount', forthMount] })
    expect((await post(server, 'forth', ': t begin again ; t')).status).toBe(500)
    await server.logged('too many steps: more than 2000 (forth-max-steps)')
    expect(await run(server, 'forth', '7 .')).toBe('7 ')
  })

  it('is refused where it is no number of steps', async () => {
    const server = Server.spawn({ args: [...base, '--forth-max-steps', 'many', '--mount', forthMount] })
    expect(await server.exited()).toBe(2)
    expect(server.log).toContain('forth-max-steps')
  })
})

describe('a program that cannot be loaded', () => {
  it('is named with its place, and the others go on', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'polywsgi-forth-'))
    try {
      writeFileSync(join(folder, 'bad.fs'), ': handle\n  if ;\n')
      await using server = await Server.start({
        args: [...base, '--mount', `/bad=${folder}/bad.fs`, '--mount', forthMount],
      })
      expect(server.log).toContain('bad.fs:2:6: control structure mismatch: if at')
      expect((await fetch(`${server.http}/bad`)).status).toBe(500)
      expect(await run(server, 'forth', '7 .')).toBe('7 ')
      const refused = Server.spawn({ args: [...base, '--need-app', '--mount', `/bad=${folder}/bad.fs`] })
      expect(await refused.exited()).toBe(3)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe("the example's README", () => {
  const example = `${root}examples/plugins/forth`
  const readme = readFileSync(`${example}/README.md`, 'utf8')

  it('shows commands and exactly what they print', async () => {
    const command = /^node dist\/cli\.js ((?:.*\\\n)*.*)$/m.exec(readme)?.[1] as string
    const args = command
      .replaceAll('\\\n', ' ')
      .trim()
      .split(/\s+/)
      .map((arg) => arg.replace('127.0.0.1:8080', '127.0.0.1:0'))
    await using server = await Server.start({ args })
    const transcript = [...readme.matchAll(/^\$ curl (\S+)\n(.*)$/gm)]
    expect(transcript.length).toBeGreaterThan(5)
    for (const [, url = '', printed] of transcript) {
      const response = await fetch(url.replace('http://127.0.0.1:8080', server.http))
      expect([url, await response.text()]).toEqual([url, `${printed}\n`])
    }
  })
})
