// The uwsgi module at work in the real program: functions, signals, clocks, mules, spooler and locks, from each language to
// each, over several workers.
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Server } from '../support/server.ts'

const apps = fileURLToPath(new URL('../apps/services', import.meta.url))
const mounts = ['/python=app.py', '/lua=app.lua', '/js=app.mjs'].flatMap((mount) => ['--mount', mount])
const base = ['--http-socket', '127.0.0.1:0', ...mounts, '--cache2', 'name=default,items=100,blocksize=4096', '--locks', '2']

type Language = 'python' | 'lua' | 'js'
const languages: readonly Language[] = ['python', 'lua', 'js']

const run = async (server: Server, language: Language, code: string): Promise<string> => {
  const response = await fetch(`${server.http}/${language}`, { method: 'POST', body: code })
  return Buffer.from(await response.arrayBuffer()).toString('latin1')
}

/** Asks again until the answer is the wanted one: what is awaited comes by itself, and a test that waits in vain times out. */
const eventually = async (ask: () => Promise<string>, wanted: string): Promise<void> => {
  for (let answer = ''; answer !== wanted; answer = await ask()) await new Promise((resolve) => setImmediate(resolve))
}

const cacheNumber = (server: Server, key: string) => run(server, 'lua', `return uwsgi.cache_num('${key}')`)
const cacheText = (server: Server, key: string) => run(server, 'lua', `return uwsgi.cache_get('${key}')`)

describe('RPC', () => {
  let server: Server
  beforeAll(async () => {
    server = await Server.start({ cwd: apps, args: [...base, '--workers', '1'] })
  })
  afterAll(async () => await server[Symbol.asyncDispose]())

  const bytes = 'a\\0\\xff\\x80z'
  const calls: Record<Language, (name: string) => string> = {
    python: (name) => `return uwsgi.call('${name}', b'${bytes}')`,
    lua: (name) => `return uwsgi.call('${name}', '${bytes}')`,
    js: (name) => `return uwsgi.call('${name}', new Uint8Array([97, 0, 255, 128, 122]))`,
  }
  const pairs = languages.flatMap((from) => languages.map((to) => [from, to] as const))

  it.each(pairs)('passes bytes unchanged from %s to %s and back', async (from, to) => {
    expect(await run(server, from, calls[from](`${to}_echo`))).toBe(`${to}:a\0\xff\x80z`)
  })

  it.each(pairs)('raises in %s what fails in %s, and names the function', async (from, to) => {
    const answer = await run(server, from, calls[from](`${to}_fail`))
    expect(answer).toContain(`${to}_fail`)
    expect(answer).toContain(`${to} says no`)
  })

  it('goes through three languages and back', async () => {
    const code = "return uwsgi.call('lua_relay', b'js_relay', b'x')"
    // js_relay wants two arguments: the error of the innermost call comes out at the outermost.
    expect(await run(server, 'python', code)).toContain('js_relay')
    expect(await run(server, 'python', "return uwsgi.call('lua_relay', b'js_echo', b'x')")).toBe('js:x')
    expect(await run(server, 'js', "return uwsgi.call('python_relay', 'lua_echo', 'x')")).toBe('lua:x')
  })

  it.each([
    ['python', "return uwsgi.call('nobody', b'x')", 'None'],
    ['lua', "return uwsgi.call('nobody', 'x')", 'nil'],
    ['js', "return uwsgi.call('nobody', 'x')", 'undefined'],
  ] as const)('answers in %s that nobody has the function', async (language, code, wanted) => {
    expect(await run(server, language, code)).toBe(wanted)
  })
})

describe('signals and clocks', () => {
  it('run handlers of each language, once for a worker, in each for workers, and timers fire as often as they should', async () => {
    await using server = await Server.start({ cwd: apps, args: [...base, '--workers', '3', '--mule'] })
    await eventually(() => cacheNumber(server, 'python-signal-10'), '3')
    await eventually(() => cacheNumber(server, 'lua-signal-11'), '3')
    await eventually(() => cacheNumber(server, 'js-signal-12'), '3')

    await run(server, 'python', 'uwsgi.signal(11)\nuwsgi.signal(14)\nuwsgi.signal(17)')
    await run(server, 'lua', 'uwsgi.signal(12) uwsgi.signal(15) uwsgi.signal(18)')
    await run(server, 'js', 'uwsgi.signal(10); uwsgi.signal(13); uwsgi.signal(16)')
    for (const [index, language] of languages.entries()) {
      await eventually(() => cacheNumber(server, `${language}-signal-${13 + index}`), '3')
      await eventually(() => cacheNumber(server, `${language}-signal-${16 + index}`), '1')
      // One more than the three of the timer, which has three iterations however many workers have asked for it.
      await eventually(() => cacheNumber(server, `${language}-signal-${10 + index}`), '4')
    }
  })

  it('log a handler that raises, and the worker lives', async () => {
    await using server = await Server.start({ cwd: apps, args: [...base, '--workers', '1'] })
    await run(server, 'lua', 'uwsgi.signal(19) uwsgi.signal(20) uwsgi.signal(21)')
    for (const [index, language] of languages.entries()) {
      await server.logged(`${language} signal fails`)
      await server.logged(`error managing signal ${19 + index} on worker 1`)
    }
    expect(await run(server, 'lua', 'return uwsgi.worker_id()')).toBe('1')
    expect(server.log).not.toContain('DAMN')
  })
})

describe('mules', () => {
  it.each(languages)('give messages to the hook of %s', async (language) => {
    await using server = await Server.start({
      cwd: apps,
      args: [...base, '--mules', '2', '--farm', 'both:1,2', '--set', `mule-language=${language}`],
    })
    expect(await run(server, 'lua', "return uwsgi.mule_msg('to two\\0\\255', 2)")).toBe('true')
    await eventually(() => cacheText(server, `${language}-mule-2`), 'to two\0\xff')
    expect(await run(server, 'python', "return uwsgi.mule_msg(b'to one', 1)")).toBe('True')
    await eventually(() => cacheText(server, `${language}-mule-1`), 'to one')
    await run(server, 'js', "uwsgi.farmMsg('both', 'to the farm')")
    await eventually(
      async () =>
        String((await Promise.all([1, 2].map((id) => cacheText(server, `${language}-mule-${id}`)))).includes('to the farm')),
      'true',
    )
  })

  it.each([
    ['python', 'mule.py'],
    ['lua', 'mule.lua'],
    ['js', 'mule.mjs'],
  ])('run a program in %s', async (language, program) => {
    await using server = await Server.start({ cwd: apps, args: [...base, `--mule=${program}`] })
    await run(server, 'lua', "uwsgi.mule_msg('hello\\0', 1)")
    await eventually(() => cacheText(server, `program-${language}`), 'hello\0')
    expect(await server.stop()).toBe(0)
  })
})

describe('the spooler', () => {
  it.each(languages)('runs jobs by the hook of %s, from every language, and leaves none behind', async (language) => {
    const folder = mkdtempSync(join(tmpdir(), 'polywsgi-spool-'))
    try {
      await using server = await Server.start({
        cwd: apps,
        args: [...base, '--spooler', folder, '--set', `spool-language=${language}`],
      })
      const spools: Record<Language, string> = {
        python: "return uwsgi.spool({b'what': b'python', b'body': b'one'})",
        lua: "return uwsgi.spool({what = 'lua', body = 'two'})",
        js: "return uwsgi.spool({ what: 'js', body: 'three' })",
      }
      for (const [from, body] of [
        ['python', 'one'],
        ['lua', 'two'],
        ['js', 'three'],
      ] as const) {
        expect(await run(server, from, spools[from])).toContain(join(folder, 'uwsgi_spoolfile_on_'))
        await eventually(() => cacheText(server, `${language}-spool`), `${from} ${body}`)
      }
      await eventually(async () => String(readdirSync(folder).filter((name) => name.startsWith('uwsgi_spoolfile')).length), '0')
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

describe('locks', () => {
  it('keep a read and a write of several workers and languages together', async () => {
    await using server = await Server.start({ cwd: apps, args: [...base, '--workers', '3'] })
    const rounds = 50
    const codes: Record<Language, string> = {
      python: `for _ in range(${rounds}):\n  uwsgi.lock(1)\n  n = int(uwsgi.cache_get('n') or b'0')\n  uwsgi.cache_update('n', str(n + 1))\n  uwsgi.unlock(1)`,
      lua: `for _ = 1, ${rounds} do uwsgi.lock(1) local n = tonumber(uwsgi.cache_get('n') or '0') uwsgi.cache_update('n', tostring(n + 1)) uwsgi.unlock(1) end`,
      js: `for (let i = 0; i < ${rounds}; i++) { uwsgi.lock(1); const n = Number(uwsgi.cacheGet('n') ?? 0); uwsgi.cacheUpdate('n', String(n + 1)); uwsgi.unlock(1) }`,
    }
    const work = languages.flatMap((language) => Array.from({ length: 4 }, () => run(server, language, codes[language])))
    await Promise.all(work)
    expect(await cacheText(server, 'n')).toBe(String(rounds * 12))
  })

  it('are given back when the worker that holds one is ended for overrunning its own deadline', async () => {
    await using server = await Server.start({ cwd: apps, args: [...base, '--workers', '2'] })
    const response = await fetch(`${server.http}/lua`, {
      method: 'POST',
      // A function in C that looks at nothing.
      body: `uwsgi.lock(1) uwsgi.set_user_harakiri(1) local _ = (('a'):rep(40)):find(('a-'):rep(40) .. 'b')`,
    })
    expect(response.status).toBe(504)
    expect(server.log).toContain('*** HARAKIRI ON WORKER')
    expect(server.log).toContain('held lock 1')
    expect(await run(server, 'python', 'uwsgi.lock(1)\nuwsgi.unlock(1)\nreturn b"free"')).toBe('free')
  })
})

describe('reload and stop', () => {
  it('lose no request, and load the apps anew in every thread', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'polywsgi-reload-'))
    mkdirSync(join(folder, 'spool'))
    try {
      await using server = await Server.start({
        cwd: apps,
        args: [...base, '--workers', '2', '--mule', '--spooler', join(folder, 'spool')],
      })
      let isDone = false
      const asked = (async () => {
        const answers = new Set<string>()
        while (!isDone) answers.add(await run(server, 'lua', "return 'served'"))
        return [...answers]
      })()
      await run(server, 'js', 'uwsgi.reload()')
      await server.logged('reload complete')
      server.kill('SIGHUP')
      await server.logged('reload complete', 2)
      isDone = true
      expect(await asked).toEqual(['served'])
      expect(server.log).not.toContain('DAMN')
      // Registered while loading, again and again, it still counts once.
      expect(await run(server, 'python', "return uwsgi.call('python_echo', b'x')")).toBe('python:x')
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })

  it('end the program with code 0 when a guest says so', async () => {
    await using server = await Server.start({ cwd: apps, args: [...base] })
    expect(await run(server, 'python', 'return uwsgi.stop()')).toBe('True')
    expect(await server.exited()).toBe(0)
  })
})
