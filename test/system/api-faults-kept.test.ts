// What outlives a request, in the real program under attack: jobs, locks, shared memory, connections. Jobs are done however
// often their runner dies, locks of the dead are free, no count is lost, and no connection stays behind its owner.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, connect as openTcp, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { counted, eventually, inFolder, type Language, languages, number, run, start } from '../support/faults-server.ts'
import type { Server } from '../support/server.ts'

describe('the spooler', () => {
  const hook = `def spool(env):
  kind = env[b'kind']
  uwsgi.cache_inc(b'begun-' + kind)
  if kind == b'poison': raise ValueError('poison')
  if kind == b'kill':
    uwsgi.set_user_harakiri(1)
    while True:
      try:
        while True: pass
      except BaseException: pass
  if kind == b'hold' and not uwsgi.cache_exists('second-life'):
    while True: pass
  if kind == b'binary': uwsgi.cache_update('binary', env[b'value'] + b'|' + env['body'])
  uwsgi.cache_inc(b'done-' + kind)
  return uwsgi.SPOOL_OK
uwsgi.spooler = spool`
  const jobsIn = (folder: string): string[] => readdirSync(folder).filter((name) => name.startsWith('uwsgi_spoolfile'))
  const spooling = (folder: string, ...more: string[]) =>
    start({ python: hook }, '--workers', '1', '--spooler', folder, '--spooler-max-tries', '2', '--spooler-quiet', ...more)

  it('sets jobs aside that raise or kill it, and runs the others, bytes unchanged, when they are due', async () => {
    await inFolder(async (folder) => {
      await using server = await spooling(folder)
      await run(server, 'lua', "uwsgi.spool{kind='poison'} uwsgi.spool{kind='kill'} uwsgi.spool{kind='past', at='1000'}")
      const later = "return uwsgi.spool({kind: 'later', at: Math.floor(Date.now() / 1000) + 100_000})"
      const path = await run(server, 'js', later)
      const binary =
        "return uwsgi.spool({kind: 'binary', value: new Uint8Array([0, 255, 10]), body: new Uint8Array([1, 0, 254])})"
      await run(server, 'js', binary)
      await counted(server, 'done-binary', 1)
      await counted(server, 'done-past', 1)
      expect(await run(server, 'lua', "return uwsgi.cache_get('binary')")).toBe('\0\xff\n|\x01\0\xfe')
      await server.logged('has failed 2 times: it is set aside')
      await server.logged('was begun 2 times and never finished: it is set aside')
      await eventually(
        async () =>
          jobsIn(folder)
            .map((name) => join(folder, name))
            .join(),
        path,
      )
      expect(jobsIn(join(folder, 'failed'))).toHaveLength(2)
      expect(await run(server, 'lua', "return uwsgi.spool{kind='x', at='-5'}")).toContain("'at' must be a time in seconds")
    })
  })

  it('does 1000 jobs of three languages exactly once', async () => {
    await inFolder(async (folder) => {
      await using server = await spooling(folder)
      await Promise.all([
        run(server, 'python', "for i in range(334): uwsgi.spool({b'kind': str(i)})"),
        run(server, 'lua', 'for i = 334, 666 do uwsgi.spool{kind=i} end'),
        run(server, 'js', 'for (let i = 667; i < 1000; i++) uwsgi.spool({kind: i})'),
      ])
      await eventually(async () => jobsIn(folder).length, 0)
      const sums = "local sum = 0 for i = 0, 999 do if uwsgi.cache_num('NAME-' .. i) == 1 then sum = sum + 1 end end return sum"
      await eventually(() => run(server, 'lua', sums.replace('NAME', 'done')), '1000')
      expect(await run(server, 'lua', sums.replace('NAME', 'begun'))).toBe('1000')
    })
  })

  it('runs a job again that the end of the whole server has interrupted', async () => {
    await inFolder(async (folder) => {
      await using first = await spooling(folder)
      await run(first, 'lua', "uwsgi.spool{kind='hold'}")
      await counted(first, 'begun-hold', 1)
      first.kill('SIGKILL')
      await first.exited()
      await using second = await start(
        { python: `uwsgi.cache_update('second-life', b'1')\n${hook}` },
        ...['--workers', '1', '--spooler', folder],
      )
      await counted(second, 'done-hold', 1)
      await eventually(async () => jobsIn(folder).length, 0)
    })
  })

  it('says once that its directory cannot be read, and goes on when it can', async () => {
    await inFolder(async (folder) => {
      const directory = join(folder, 'spool')
      mkdirSync(directory)
      await using server = await spooling(directory, '--spooler-frequency', '1')
      rmSync(directory, { recursive: true })
      writeFileSync(directory, 'no directory')
      expect(await run(server, 'lua', "return uwsgi.spool{kind='x'}")).toContain('unable to spool job')
      await server.logged('the directory cannot be read')
      rmSync(directory)
      mkdirSync(directory)
      expect(await run(server, 'lua', "return uwsgi.spool{kind='x'}")).toContain(directory)
      await counted(server, 'done-x', 1)
    })
  })
})

describe('locks', () => {
  it('are kept past a request, freed by a reload and by the death of a mule, and a wait with a timeout ends', async () => {
    const lua = `if uwsgi.mule_id() == 1 then
        uwsgi.register_rpc('hold', function() uwsgi.lock(1) return 'held' end)
        uwsgi.register_rpc('die', function() uwsgi.lock(1) uwsgi.cache_inc('locked') uwsgi.set_user_harakiri(1) while true do end end)
      end`
    await using server = await start({ lua }, '--workers', '2', '--mule', '--locks', '1')
    await eventually(() => run(server, 'lua', "return tostring(uwsgi.is_locked(1) or uwsgi.call('hold'))"), 'true')
    expect(await run(server, 'python', 'uwsgi.lock(1, 0.05)')).toContain('did not become free in 0.05 seconds: mule 1 holds it')
    expect(await run(server, 'js', 'uwsgi.lock(1, 0)')).toContain('did not become free in 0 seconds')
    expect(await run(server, 'lua', 'uwsgi.unlock(1)')).toContain('mule 1 holds it')
    expect(await run(server, 'js', 'uwsgi.lock(0); return uwsgi.lock(0)')).toContain('holds lock 0 already')
    expect(await run(server, 'python', 'return uwsgi.is_locked(0)')).toBe('True')
    server.kill('SIGHUP')
    await server.logged('reload complete')
    // The mule's turn may come after the workers'.
    await eventually(() => run(server, 'js', 'return [uwsgi.isLocked(0), uwsgi.isLocked(1)]'), 'false,false')
    const dying = run(server, 'lua', "return uwsgi.call('die')")
    await counted(server, 'locked', 1)
    expect(await run(server, 'python', "uwsgi.lock(1)\nuwsgi.unlock(1)\nreturn b'freed'")).toBe('freed')
    expect(await dying).toContain('has ended')
  })
})

describe('shared memory', () => {
  it('counts right, evicts and expires while four workers hammer it from three languages', async () => {
    const caches = ['--cache2', 'name=lru,items=50,blocksize=64,purge_lru=1', '--cache2', 'name=full,items=50,blocksize=64']
    await using server = await start({}, '--workers', '4', ...caches)
    const hammer: Record<Language, string> = {
      python:
        "for i in range(2000):\n  uwsgi.cache_inc('sum', 3)\n  uwsgi.cache_update('k%d' % (i % 97), b'v' * (i % 60), 1, 'lru')\n  uwsgi.cache_set('k%d' % i, b'v', 0, 'full')\n  uwsgi.cache_get('k%d' % (i % 50), 'lru')\n  uwsgi.cache_del('k%d' % i, 'full')\nreturn b'done'",
      lua: "for i = 0, 1999 do uwsgi.cache_inc('sum', 3) uwsgi.cache_update('k' .. i % 97, ('v'):rep(i % 60), 1, 'lru') uwsgi.cache_set('k' .. i, 'v', 0, 'full') uwsgi.cache_get('k' .. i % 50, 'lru') uwsgi.cache_del('k' .. i, 'full') end return 'done'",
      js: "for (let i = 0; i < 2000; i++) { uwsgi.cacheInc('sum', 3); uwsgi.cacheUpdate('k' + i % 97, 'v'.repeat(i % 60), 1, 'lru'); uwsgi.cacheSet('k' + i, 'v', 0, 'full'); uwsgi.cacheGet('k' + i % 50, 'lru'); uwsgi.cacheDel('k' + i, 'full') } return 'done'",
    }
    const answers = languages.flatMap((language) => Array.from({ length: 4 }, () => run(server, language, hammer[language])))
    expect(new Set(await Promise.all(answers))).toEqual(new Set(['done']))
    expect(await number(server, 'sum')).toBe(12 * 2000 * 3)
    expect(await run(server, 'lua', "return #uwsgi.cache_keys('full')")).toBe('0')
    await eventually(() => run(server, 'lua', "return #uwsgi.cache_keys('lru')"), '0')
    const fill = "local n = 0 for i = 1, 60 do if uwsgi.cache_set('f' .. i, 'v', 0, 'NAME') then n = n + 1 end end return n"
    expect(await run(server, 'lua', fill.replace('NAME', 'full'))).toBe(
      await run(server, 'lua', "return #uwsgi.cache_keys('full')"),
    )
    expect(await run(server, 'lua', fill.replace('NAME', 'lru'))).toBe('60')
    expect(await run(server, 'lua', "return tostring(uwsgi.cache_get('f1', 'lru')) .. uwsgi.cache_get('f60', 'lru')")).toBe(
      'nilv',
    )
  })

  it('has what a cache store kept, after a restart', async () => {
    await inFolder(async (folder) => {
      const store = ['--cache2', `name=kept,items=10,blocksize=64,store=${join(folder, 'store')}`]
      await using first = await start({}, '--workers', '1', ...store)
      await run(first, 'js', "uwsgi.cacheSet('bytes', new Uint8Array([0, 255, 1]), 0, 'kept')")
      expect(await first.stop()).toBe(0)
      await using second = await start({}, '--workers', '1', ...store)
      expect(await run(second, 'python', "return uwsgi.cache_get('bytes', 'kept')")).toBe('\0\xff\x01')
    })
  })

  it('is not read or written past its ends', async () => {
    await using server = await start({}, '--workers', '1', '--sharedarea', '1', '--queue', '4', '--queue-blocksize', '64')
    for (const call of [
      "write(0, 4090, ('x'):rep(10))",
      'read(0, 4095, 2)',
      'read(0, 0, 1000000000)',
      'read64(0, 4089)',
      'inc32(0, 4093)',
    ])
      expect(await run(server, 'lua', `return uwsgi.sharedarea_${call}`)).toContain('are not in area 0, which has 4096')
    expect(await run(server, 'js', 'uwsgi.sharedareaWlock(0); uwsgi.sharedareaWlock(0)')).toContain('would never end')
    expect(await run(server, 'python', 'uwsgi.sharedarea_unlock(0)\nreturn uwsgi.sharedarea_read(0, 4095, 1)')).toBe('\0')
    for (const call of ["queue_push(b'x' * 49)", 'queue_get(4)', "queue_set(9, b'x')"])
      expect(await run(server, 'python', `return uwsgi.${call}`)).toBe('None')
    expect(await run(server, 'python', "uwsgi.queue_push(b'y' * 48)\nreturn uwsgi.queue_pull()")).toBe('y'.repeat(48))
  })
})

describe('connections', () => {
  let server: Server
  beforeAll(async () => {
    server = await start({}, '--socket', '127.0.0.1:0', '--workers', '1', '--async', '4', '--log-format', '<%(uri) %(mark)>')
  })
  afterAll(async () => await server[Symbol.asyncDispose]())

  const get = (language: Language, code: string, more = ''): string =>
    `GET /${language} HTTP/1.1\r\nHost: x\r\nX-Code: ${code}\r\n${more}\r\n`
  const open = (): Socket => openTcp(Number(new URL(server.http).port), '127.0.0.1')
  /** What comes back until the server closes. */
  const exchange = (requests: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = open()
      let answer = ''
      socket.setEncoding('latin1').on('data', (text: string) => (answer += text))
      socket.on('error', reject).on('close', () => resolve(answer))
      socket.write(requests)
    })

  it.each([
    ['lua', "uwsgi.send('HTTP/1.1 200 OK\\r\\n\\r\\nraw') return ''", 'HTTP/1.1 200 OK\r\n\r\nraw'],
    [
      'js',
      "uwsgi.send(uwsgi.connectionFd(), 'HTTP/1.1 200 OK\\r\\n\\r\\nby fd, '); return 'tail'",
      'HTTP/1.1 200 OK\r\n\r\nby fd, tail',
    ],
    ['python', 'uwsgi.disconnect()', ''],
    ['lua', "uwsgi.close(uwsgi.connection_fd()) return 'never'", ''],
  ] as const)('that are used raw in %s by %s end after it, whatever was pipelined behind', async (language, code, wanted) => {
    const first = get('js', "return 'before'")
    const answer = await exchange(first + get(language, code) + get('lua', "return 'behind'"))
    const [head = '', ...rest] = answer.split('before')
    expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(rest.join('before')).toBe(wanted)
  })

  it('whose client goes in the middle of a send tell the guest, and the worker serves the next', async () => {
    const socket = open().on('error', () => {})
    const code = "local n = 0 while uwsgi.send(('x'):rep(65536)) do n = n + 1 end uwsgi.cache_inc('gone') return n"
    await new Promise<void>((resolve) => {
      socket.once('data', () => {
        socket.destroy()
        resolve()
      })
      socket.write(get('lua', code))
    })
    await counted(server, 'gone', 1)
  })

  it('that a thread has opened are closed when it ends', async () => {
    const accepted = Promise.withResolvers<Socket>()
    const tcp = createServer((socket) => accepted.resolve(socket.on('error', () => {}).resume()))
    await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve))
    try {
      const { port } = tcp.address() as { port: number }
      // Opened outside of requests: each thread that loads the app opens one, the first one's number is kept.
      const python = `uwsgi.cache_set('fd', str(uwsgi.connect('127.0.0.1:${port}')))`
      await using server = await start({ python }, '--workers', '1')
      const fd = await run(server, 'lua', "return uwsgi.cache_get('fd')")
      const closed = new Promise((resolve) => void accepted.promise.then((socket) => socket.once('close', resolve)))
      expect(await run(server, 'js', `return uwsgi.isConnected(${fd})`)).toBe('true')
      server.kill('SIGHUP')
      await closed
      await server.logged('reload complete')
      expect(await run(server, 'js', `return uwsgi.isConnected(${fd})`)).toBe('false')
    } finally {
      tcp.close()
    }
  })

  it('and log variables are those of the right request after an await, while others run in the same worker', async () => {
    const code = (mark: string): string => `const before = uwsgi.connectionFd()
      uwsgi.cacheInc('arrived')
      while (uwsgi.cacheNum('arrived') < 4n && uwsgi.cacheNum('arrived') < 4) await new Promise((resolve) => setTimeout(resolve, 1))
      await new Promise((resolve) => setTimeout(resolve, 5))
      uwsgi.setLogvar('mark', '${mark}')
      await null
      return uwsgi.connectionFd() === before && String(uwsgi.getLogvar('mark')) === '${mark}' ? 'mine ' + before : 'of another'`
    const marks = ['a', 'b', 'c', 'd']
    const answers = await Promise.all(
      marks.map(async (mark) => await (await fetch(`${server.http}/js/${mark}`, { method: 'POST', body: code(mark) })).text()),
    )
    for (const answer of answers) expect(answer).toMatch(/^mine \d+$/)
    expect(new Set(answers).size).toBe(4)
    for (const mark of marks) await server.logged(`</js/${mark} ${mark}>`)
  })
})
