// The uwsgi module's calls, signals and messages in the real program under attack: peers that lie or say nothing, guests that
// loop, raise, flood and die in the middle. Who waits is answered, what is dropped is counted, whoever is left goes on.
import { createServer, type Socket, type Server as TcpServer } from 'node:net'
import { createHost } from 'polywsgi'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  apps,
  ask,
  counted,
  eventually,
  type Language,
  type Load,
  languages,
  number,
  run,
  start,
} from '../support/faults-server.ts'
import type { Server } from '../support/server.ts'

describe('RPC', () => {
  const load: Load = {
    python: "uwsgi.register_rpc('python_on', lambda n: uwsgi.call('lua_on', n))",
    lua: `uwsgi.register_rpc('lua_on', function(n) return uwsgi.call('js_on', n) end)
      local mule = uwsgi.mule_id()
      if mule > 0 then
        uwsgi.register_rpc('ping' .. mule, function(n)
          if n == '0' then return 'bottom' end
          return uwsgi.call('ping' .. 3 - mule, math.tointeger(n) - 1)
        end)
      end
      if mule == 1 then
        uwsgi.register_rpc('mule_only', function(x) return 'mule:' .. x end)
        uwsgi.register_rpc('mule_dies', function() uwsgi.set_user_harakiri(1) while true do end end)
      end`,
    js: "uwsgi.registerRpc('js_on', (n) => uwsgi.call('python_on', n))",
  }
  let server: Server
  beforeAll(async () => {
    server = await start(load, '--socket', '127.0.0.1:0', '--workers', '1', '--mules', '2', '--socket-timeout', '1')
  })
  afterAll(async () => await server[Symbol.asyncDispose]())

  it('ends a recursion through three languages that has no end, and says why', async () => {
    for (const [language, name] of [
      ['python', 'python_on'],
      ['lua', 'lua_on'],
      ['js', 'js_on'],
    ] as const) {
      const { status, text } = await ask(server, language, `return uwsgi.call('${name}', '1')`)
      expect(status).toBe(500)
      expect(text).toContain('calls are nested 32 deep already')
    }
    expect(server.log).not.toContain('DAMN')
  })

  it('lets two threads call each other at once, and ends it when they never stop', async () => {
    const both = Array.from({ length: 40 }, (_, index) => run(server, 'lua', `return uwsgi.call('ping${1 + (index % 2)}', 20)`))
    expect(new Set(await Promise.all(both))).toEqual(new Set(['bottom']))
    expect(await run(server, 'lua', "return uwsgi.call('ping1', 1000)")).toContain('calls are nested 32 deep already')
    expect(await run(server, 'lua', "return uwsgi.call('mule_only', 'x')")).toBe('mule:x')
  })

  it('takes 254 arguments and refuses one more', async () => {
    const count: Record<Language, string> = {
      python: "uwsgi.register_rpc('count', lambda *a: str(len(a)))\nreturn uwsgi.call('count', *['x'] * N)",
      lua: "uwsgi.register_rpc('count', function(...) return select('#', ...) end) local t = {} for i = 1, N do t[i] = 'x' end return uwsgi.call('count', table.unpack(t))",
      js: "uwsgi.registerRpc('count', (...a) => String(a.length)); return uwsgi.call('count', ...Array(N).fill('x'))",
    }
    for (const language of languages) {
      expect(await run(server, language, count[language].replaceAll('N', '254'))).toBe('254')
      expect(await run(server, language, count[language].replaceAll('N', '255'))).toContain('at most 254 arguments, got 255')
    }
  })

  it('passes results of 50 MB from each language to each', async () => {
    await run(server, 'python', "uwsgi.register_rpc('big_python', lambda: b'x' * 50_000_000)")
    await run(server, 'lua', "uwsgi.register_rpc('big_lua', function() return ('x'):rep(50000000) end)")
    await run(server, 'js', "uwsgi.registerRpc('big_js', () => new Uint8Array(50_000_000))")
    for (const name of languages) {
      expect(await run(server, 'python', `return len(uwsgi.call('big_${name}'))`)).toBe('50000000')
      expect(await run(server, 'lua', `return #uwsgi.call('big_${name}')`)).toBe('50000000')
      expect(await run(server, 'js', `return uwsgi.call('big_${name}').length`)).toBe('50000000')
    }
  })

  it('finishes a function that replaces itself, then calls the new one', async () => {
    const replace: Record<Language, string> = {
      python:
        "def old():\n  uwsgi.register_rpc('self', lambda: b'new')\n  return b'old'\nuwsgi.register_rpc('self', old)\ndel old\nreturn uwsgi.call('self') + uwsgi.call('self')",
      lua: "uwsgi.register_rpc('self', function() uwsgi.register_rpc('self', function() return 'new' end) collectgarbage() return 'old' end) return uwsgi.call('self') .. uwsgi.call('self')",
      js: "uwsgi.registerRpc('self', () => { uwsgi.registerRpc('self', () => 'new'); return 'old' }); return String(uwsgi.call('self')) + uwsgi.call('self')",
    }
    for (const language of languages) expect(await run(server, language, replace[language])).toBe('oldnew')
  })

  it('takes names with NUL and beyond ASCII, the same in every language', async () => {
    await run(server, 'python', "uwsgi.register_rpc('a\\0b\\u00e9', lambda: b'found')")
    expect(await run(server, 'lua', "return uwsgi.call('a\\0b\\u{e9}')")).toBe('found')
    expect(await run(server, 'js', "return uwsgi.call('a\\0b\\u00e9')")).toBe('found')
    expect(await run(server, 'python', "return uwsgi.call('a')")).toBe('None')
  })

  it('answers who called a function of a mule that is killed, and runs it again in the next one', async () => {
    const dying = run(server, 'python', "return uwsgi.call('mule_dies')")
    expect(await dying).toMatch(/^OSError: .*, which ran the rpc function, has ended$/)
    await eventually(() => run(server, 'js', "return String(uwsgi.call('mule_only', 'again'))"), 'mule:again')
  })

  it('ends a call to its own socket that no other worker can serve, by socket-timeout', async () => {
    expect(await run(server, 'lua', `return tostring(uwsgi.rpc('${server.uwsgi}', 'lua_on', '1'))`)).toBe('nil')
    expect(server.log).toContain('was silent for 1 seconds')
    expect(await run(server, 'lua', 'return uwsgi.worker_id()')).toBe('1')
  })

  it('answers the embedding program too when the mule is killed', async () => {
    await using host = await createHost({ cwd: apps, mounts: { '/lua': 'mortal.lua' }, mules: 1 })
    // Nobody has the function while the mule boots, which is an error here.
    const lives = (): Promise<string> =>
      host.rpc('lives').then(
        (answer) => String(Buffer.from(answer ?? [])),
        (error: Error) => error.message,
      )
    await eventually(lives, 'alive')
    await expect(host.rpc('dies')).rejects.toThrow('has ended')
    await eventually(lives, 'alive')
  })
})

describe('another server that', () => {
  const tcpServers: TcpServer[] = []
  const sockets = new Set<Socket>()
  const peer = async (serve: (socket: Socket) => void): Promise<string> => {
    const tcp = createServer({ allowHalfOpen: true }, (socket) => {
      sockets.add(socket)
      socket.on('error', () => {}).resume()
      serve(socket)
    })
    tcpServers.push(tcp)
    await new Promise<void>((resolve) => tcp.listen(0, '127.0.0.1', resolve))
    return `127.0.0.1:${(tcp.address() as { port: number }).port}`
  }
  let server: Server
  beforeAll(async () => {
    server = await start({}, '--workers', '1', '--socket-timeout', '1')
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
    for (const socket of sockets) socket.destroy()
    for (const tcp of tcpServers) tcp.close()
  })

  const begun = Buffer.from([1, 255, 255, 0, 1, 2, 3])
  const trickle = (socket: Socket): void => {
    socket.write(begun)
    const drops = setInterval(() => socket.write('x'), 20)
    socket.on('close', () => clearInterval(drops))
  }
  const flood = (socket: Socket): void => {
    const much = Buffer.alloc(1 << 20, 'A')
    const more = (): void => {
      while (!socket.destroyed && socket.write(much)) {}
    }
    socket.on('drain', more)
    more()
  }
  const peers: [string, (socket: Socket) => void, RegExp][] = [
    ['accepts and says nothing', () => {}, /^None$/],
    ['closes at once', (socket: Socket) => void socket.destroy(), /^None$/],
    ['resets the connection', (socket: Socket) => void socket.resetAndDestroy(), /^None$/],
    ['is cut in the middle', (socket: Socket) => void socket.end(begun), /^OSError: .*65532 bytes before the end/],
    ['stops in the middle', (socket: Socket) => void socket.write(begun), /^OSError: .*65532 bytes before the end/],
    ['answers with garbage', (socket: Socket) => void socket.end('HTTP/1.0 200 OK\r\n\r\n'), /^OSError: .*before the end/],
    [
      'answers with a full packet of another kind',
      (socket: Socket) => void socket.end(Buffer.concat([Buffer.from([0, 255, 255, 0]), Buffer.alloc(65_535, 'A')])),
      /is no answer to a call$/,
    ],
    ['sends drop by drop for ever', trickle, /^OSError: .* in 1 seconds, 65\d+ bytes before the end/],
    ['floods', flood, /^OSError: .* answered with more than \d+ bytes$/],
  ]
  it.each(peers)('%s costs a call an error, a cache its item, and the worker nothing', async (_, serve, wanted) => {
    const address = await peer(serve)
    expect(await run(server, 'python', `return uwsgi.rpc('${address}', 'x', b'y')`)).toMatch(wanted)
    expect(await run(server, 'lua', `return tostring(uwsgi.cache_get('x', 'default@${address}'))`)).toBe('nil')
    expect(await run(server, 'js', 'return uwsgi.workerId()')).toBe('1')
    expect(server.log).not.toContain('DAMN')
  })
})

describe('signals', () => {
  it('of a storm are handled or counted as dropped, every one, and the log is not flooded', async () => {
    const lua = "uwsgi.register_signal(4, 'mule1', function() uwsgi.cache_inc('handled') end)"
    await using server = await start({ lua }, '--workers', '1', '--mule', '--enable-metrics')
    const storms: Record<Language, string> = {
      python: 'for _ in range(100_000): uwsgi.signal(4)',
      lua: 'for _ = 1, 100000 do uwsgi.signal(4) end',
      js: 'for (let i = 0; i < 100_000; i++) uwsgi.signal(4)',
    }
    for (const language of languages) await run(server, language, storms[language])
    const total = "return uwsgi.cache_num('handled') + uwsgi.metric_get('core.unrouted_signals')"
    await eventually(() => run(server, 'lua', total), '300000')
    expect(await number(server, 'handled')).toBeGreaterThan(1000)
    expect(server.log).toContain('SIGNAL QUEUE IS FULL')
    // Each overflow in two lines would be a flood of its own.
    expect(server.log.split('SIGNAL QUEUE IS FULL').length).toBeLessThan(100)
  })

  it('whose handlers raise, loop, or raise themselves again leave room for requests', async () => {
    const load: Load = {
      lua: `uwsgi.register_signal(3, 'worker1', function() uwsgi.cache_inc('again') uwsgi.signal(3) end)
        uwsgi.register_signal(2, 'worker1', function() error('no') end)`,
      js: "uwsgi.registerSignal(6, 'worker1', () => { uwsgi.setUserHarakiri(1); for (;;); })",
    }
    await using server = await start(load, '--workers', '1')
    await run(server, 'lua', 'uwsgi.signal(2) uwsgi.signal(3)')
    await server.logged('error managing signal 2 on worker 1')
    const before = await number(server, 'again')
    await eventually(async () => (await number(server, 'again')) > before + 10, true)
    await run(server, 'js', 'uwsgi.signal(6)')
    await server.logged('*** HARAKIRI ON WORKER 1 HANDLING SIGNAL 6 ***')
    expect(await run(server, 'python', 'return uwsgi.worker_id()')).toBe('1')
  })

  it('registered in a request reach all workers, and whoever waits, worker or mule, goes on', async () => {
    const lua = `uwsgi.register_signal(8, 'mule', function() end)
      if uwsgi.mule_id() == 1 then
        uwsgi.register_rpc('wait', function() uwsgi.cache_inc('mule-waits') uwsgi.signal_wait(8) return uwsgi.signal_received() end)
      end`
    await using server = await start({ lua }, '--workers', '3', '--mule')
    const wait =
      "uwsgi.register_signal(50, 'workers', lambda n: None)\nuwsgi.cache_inc('waits')\nuwsgi.signal_wait(50)\nreturn uwsgi.signal_received()"
    const waiting = [run(server, 'python', wait), run(server, 'python', wait)]
    await counted(server, 'waits', 2)
    await run(server, 'js', 'uwsgi.signal(50)')
    expect(await Promise.all(waiting)).toEqual(['50', '50'])
    const mule = run(server, 'js', "return uwsgi.call('wait')")
    await counted(server, 'mule-waits', 1)
    await run(server, 'lua', 'uwsgi.signal(8)')
    expect(await mule).toBe('8')
  })

  it('raised during reloads are all handled', async () => {
    const lua = "uwsgi.register_signal(7, '', function() uwsgi.cache_inc('handled') end)"
    await using server = await start({ lua }, '--workers', '2')
    let isDone = false
    const raising = (async () => {
      let raised = 0
      for (; !isDone; raised += 1) expect(await run(server, 'lua', "uwsgi.signal(7) return 'raised'")).toBe('raised')
      return raised
    })()
    for (const times of [1, 2]) {
      server.kill('SIGHUP')
      await server.logged('reload complete', times)
    }
    isDone = true
    await counted(server, 'handled', await raising)
  })
})

describe('mules', () => {
  const lua = `uwsgi.mule_msg_hook = function(message)
      if message == 'die' then uwsgi.set_user_harakiri(1) while true do end end
      if message == 'hold' then uwsgi.cache_inc('held') while uwsgi.cache_exists('held') do end return end
      if message == 'raise' then error('the mule says no') end
      uwsgi.cache_inc('got') uwsgi.cache_inc('bytes', #message) uwsgi.cache_inc('by' .. uwsgi.mule_id())
    end
    if uwsgi.mule_id() == 1 then
      uwsgi.register_rpc('get', function(seconds) return uwsgi.mule_get_msg(true, true, 65536, tonumber(seconds)) .. 'nothing' end)
    end
    if uwsgi.worker_id() == 1 then uwsgi.mule_msg('early', 1) uwsgi.mule_msg('early') uwsgi.farm_msg('both', 'early') end`

  it('get what was sent before they were ready, and messages as long as may be', async () => {
    await using server = await start({ lua }, '--workers', '1', '--mules', '2', '--farm', 'both:1,2')
    await counted(server, 'got', 3)
    expect(await run(server, 'python', "return uwsgi.mule_msg(b'\\0' * 65536, 1)")).toBe('True')
    await counted(server, 'bytes', 65_536 + 15)
    expect(await run(server, 'python', "return uwsgi.mule_msg(b'\\0' * 65537, 1)")).toContain('may have 65536 bytes, not 65537')
    expect(await run(server, 'lua', "return uwsgi.call('get', '0')")).toBe('nothing')
    expect(await run(server, 'lua', "return uwsgi.call('get', '0.05')")).toBe('nothing')
  })

  it('answer false when a queue is full, deliver all that was taken, and take more afterwards', async () => {
    await using server = await start({ lua }, '--workers', '1', '--mules', '2', '--farm', 'both:1,2')
    await counted(server, 'got', 3)
    await run(server, 'lua', "uwsgi.mule_msg('hold', 1)")
    await counted(server, 'held', 1)
    const long = "local n, m = 0, ('x'):rep(65536) while uwsgi.mule_msg(m, 1) do n = n + 1 end return n"
    const taken = Number(await run(server, 'lua', long))
    expect(taken).toBeGreaterThan(0)
    expect(await run(server, 'js', 'return uwsgi.muleMsg(new Uint8Array(65536), 1)')).toBe('false')
    // The others' queues are their own.
    expect(await run(server, 'js', "return uwsgi.muleMsg('m', 2)")).toBe('true')
    await run(server, 'lua', "uwsgi.cache_del('held')")
    await counted(server, 'got', 4 + taken)
    expect(await run(server, 'python', "return uwsgi.mule_msg(b'x' * 65536, 1)")).toBe('True')
    await counted(server, 'got', 5 + taken)
  })

  it('that are killed in the middle of a message lose that one alone, and their farm goes on meanwhile', async () => {
    await using server = await start({ lua }, '--workers', '1', '--mules', '2', '--farm', 'both:1,2')
    await counted(server, 'got', 3)
    await run(server, 'lua', "uwsgi.cache_del('by1') uwsgi.cache_del('by2') uwsgi.mule_msg('raise', 1) uwsgi.mule_msg('die', 1)")
    await server.logged('the mule says no')
    await run(server, 'js', "for (let i = 0; i < 10; i++) { uwsgi.muleMsg('m', 1); uwsgi.farmMsg('both', 'm') }")
    await server.logged('*** HARAKIRI ON MULE 1 ***')
    await counted(server, 'got', 23)
    expect(await number(server, 'by2')).toBeGreaterThan(0)
    expect(await number(server, 'by1')).toBeGreaterThanOrEqual(10)
  })
})
