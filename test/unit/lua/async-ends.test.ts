// How waits end that do not end well: requests that are given up, memory that runs out, an interpreter that is lost. And that
// those which end, however they do, leave nothing behind.
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { registryIndex } from '../../../bindings/lua/glue.ts'
import { LuaWorker } from '../../../bindings/lua/worker.ts'
import { PolywsgiError } from '../../../host/errors.ts'
import type { WsgiRequest } from '../../../host/request/wsgi-request.ts'
import { AsyncLua, tick } from './async-fixture.ts'
import { bound } from './test-api.ts'

const { RuntimeError } = (globalThis as unknown as { WebAssembly: { RuntimeError: ErrorConstructor } }).WebAssembly

let lua: AsyncLua
beforeEach(async () => {
  const trap = bound('trap', [], 'none', () => {
    throw new RuntimeError('unreachable')
  })
  lua = await AsyncLua.boot(8, { functions: [trap] })
})

/** As the host does when a core's time is over: the client is answered, then the handler ended. */
const giveUp = (request: WsgiRequest): void => {
  request.timeOut()
  request.isOver = true
  request.onCancel?.(new PolywsgiError('HARAKIRI' as never, 'the request took longer than 1 s (harakiri)'))
}

const alive = async (): Promise<void> => {
  const statements = `return 200, {}, coroutine.wrap(function() return uwsgi.wait('alive') .. uwsgi.wait('alive') end)()`
  const mountpoint = await lua.handler(statements)
  for (let core = 0; core < 8; core += 1) {
    const answer = lua.request({ mountpoint })
    await lua.open('alive', 'a')
    await lua.open('alive', 'b')
    expect((await answer).text).toBe('ab')
  }
}

describe('a request that is given up', () => {
  const held = async (statements: string) => {
    const mountpoint = await lua.handler(statements)
    const answer = lua.request({ mountpoint })
    while (!lua.gates.has('w')) await tick()
    const request = lua.requests.at(-1) as WsgiRequest
    return { answer, request, late: lua.gates.get('w') as PromiseWithResolvers<string> }
  }

  it('can be only while it waits', async () => {
    const { answer, request } = await held(
      `uwsgi.wait('w') uwsgi.note(tostring(uwsgi.current())) return 200, {}, uwsgi.wait('w')`,
    )
    expect(request.onCancel).toBeTypeOf('function')
    await lua.open('w')
    expect(request.onCancel).toBeTypeOf('function')
    await lua.open('w')
    expect((await answer).text).toBe('opened w')
    expect(request.onCancel).toBeUndefined()
  })

  it('gets an error where it stands, and its variables are closed', async () => {
    const { answer, request, late } = await held(`
      local x <close> = setmetatable({}, { __close = function(_, e) uwsgi.note('closed ' .. e:match('[^:]*$')) end })
      coroutine.wrap(function() uwsgi.wait('w') end)()
      uwsgi.note('never')`)
    giveUp(request)
    expect(await answer).toMatchObject({ result: -1, status: '504 Gateway Timeout', text: 'Gateway Timeout\n' })
    expect(lua.notes).toEqual(['closed  the request took longer than 1 s (harakiri)'])
    expect(lua.harness.logLines[0]).toMatch(/app\.lua:\d+: the request took longer than 1 s \(harakiri\)$/)
    expect(lua.harness.logLines[1]).toBe('stack traceback:')
    // What it had waited for comes, and finds nobody: the next request of the core is another one.
    const next = await held(`return 200, {}, uwsgi.wait('w')`)
    late.resolve('late')
    await tick()
    await lua.open('w', 'its own')
    expect((await next.answer).text).toBe('its own')
    await alive()
  })

  it.each([
    ['waits again', `pcall(uwsgi.wait, 'w') uwsgi.note('swallowed') uwsgi.wait('w') uwsgi.note('never')`],
    ['waits again and again', `while true do pcall(uwsgi.wait, 'w') uwsgi.note('swallowed') end`],
    [
      'waits again in a coroutine',
      `pcall(uwsgi.wait, 'w') uwsgi.note('swallowed') coroutine.wrap(function() while true do pcall(uwsgi.wait, 'w') end end)()`,
    ],
    [
      'waits again where it closes its variables',
      `local x <close> = setmetatable({}, { __close = function() uwsgi.note('swallowed') uwsgi.wait('w') uwsgi.note('never') end }) pcall(uwsgi.wait, 'w')`,
    ],
    ['gives itself a turn', `pcall(uwsgi.wait, 'w') uwsgi.note('swallowed') while true do uwsgi.turn() uwsgi.note('never') end`],
  ])('is ended when it %s', async (_name, statements) => {
    const { answer, request } = await held(`${statements} return 200, {}, 'never'`)
    giveUp(request)
    expect((await answer).result).toBe(-1)
    expect(lua.notes).toEqual(['swallowed'])
    expect(lua.harness.logLines.at(-1)).toMatch(/the request was given up, and its handler waited again: it has been ended$/)
    expect(lua.parked).toEqual([])
    await alive()
  })

  it('may not park instead', async () => {
    const { answer, request } = await held(`
      pcall(uwsgi.wait, 'w')
      uwsgi.note((select(2, pcall(string.gsub, 'x', 'x', function() uwsgi.wait('w') end)):match('[^:]*$')))
      return 200, {}, 'never'`)
    giveUp(request)
    expect(await answer).toMatchObject({ result: -1, status: '504 Gateway Timeout' })
    expect(lua.notes).toEqual([' the request is over'])
    expect(lua.parked).toEqual([])
    await alive()
  })

  it('is not answered by what its handler returns after all', async () => {
    const { answer, request } = await held(`pcall(uwsgi.wait, 'w') return 200, {}, 'never'`)
    giveUp(request)
    expect(await answer).toMatchObject({ result: -1, status: '504 Gateway Timeout', text: 'Gateway Timeout\n' })
    expect(lua.harness.logLines).toEqual([])
    await alive()
  })

  it('in the middle of its body is cut', async () => {
    for (const swallow of ['uwsgi.wait', 'pcall(uwsgi.wait,']) {
      const call = swallow.startsWith('pcall') ? `${swallow} 'w')` : `${swallow}('w')`
      const { answer, request } = await held(`return 200, {}, coroutine.wrap(function()
        coroutine.yield('begun') ${call} coroutine.yield('never') end)`)
      giveUp(request)
      expect(await answer).toMatchObject({ result: -1, text: 'begun', isCut: true })
    }
    await alive()
  })

  it('between two chunks, is not asked for another one', async () => {
    let turn = Promise.withResolvers<void>()
    const commit = (): Promise<void> => turn.promise
    lua = await AsyncLua.boot(8, { server: { waits: { isAsync: true, commit } as never } })
    const mountpoint = await lua.handler(
      `return 200, {}, coroutine.wrap(function() coroutine.yield('one') uwsgi.note('never') end)`,
    )
    const answer = lua.request({ mountpoint })
    await tick()
    giveUp(lua.requests[0] as WsgiRequest)
    expect(await answer).toMatchObject({ result: -1, text: 'one', isCut: true })
    turn.resolve()
    turn = Promise.withResolvers()
    turn.resolve()
    await tick()
    expect(lua.notes).toEqual([])
    await alive()
  })

  it('leaves others as they are, which share its coroutines', async () => {
    const mountpoint = await lua.handler(`
      if env.QUERY_STRING == '' then
        shared = coroutine.wrap(function() pcall(uwsgi.wait, 'w') uwsgi.wait('w') end)
        return 200, {}, shared()
      end
      return 200, {}, tostring(select(2, pcall(shared))):match('[^:]*$') .. uwsgi.wait('other')`)
    const first = lua.request({ mountpoint })
    while (!lua.gates.has('w')) await tick()
    giveUp(lua.requests[0] as WsgiRequest)
    expect((await first).result).toBe(-1)
    const second = lua.request({ mountpoint, query: 'x' })
    await lua.open('other', '!')
    // Suspended for ever.
    expect((await second).text).toBe('cannot resume non-suspended coroutine!')
  })
})

describe('an interpreter that is lost', () => {
  it('rejects the promises of all that wait in it', async () => {
    const mountpoint = await lua.handler(`
      if env.QUERY_STRING == 'trap' then uwsgi.trap() end
      if env.QUERY_STRING == 'stream' then return 200, {}, coroutine.wrap(function() coroutine.yield('x') uwsgi.wait('s') end) end
      return 200, {}, coroutine.wrap(function() return uwsgi.wait('w') end)()`)
    await lua.handler(`return 200, {}, ''`, `uwsgi.keep('waits', function() return uwsgi.wait('r') end)`)
    const waiting = [lua.request({ mountpoint }), lua.request({ mountpoint, query: 'stream' }), lua.run('waits')]
    while (!(lua.gates.has('w') && lua.gates.has('s') && lua.gates.has('r'))) await tick()
    const lost = { fatal: true, message: 'the Lua interpreter failed: unreachable' }
    const outcomes = Promise.all(waiting.map((promise) => expect(promise).rejects.toMatchObject(lost)))
    await expect(lua.request({ mountpoint, query: 'trap' })).rejects.toMatchObject(lost)
    await outcomes
    // What they had waited for comes, and does no harm.
    for (const gate of lua.gates.values()) gate.resolve('late')
    await tick()
    expect(() => lua.harness.plugin.atexit?.()).not.toThrow()
  })
})

describe('memory that runs out', () => {
  it('where a core goes on is an error of that core, and the others go on', async () => {
    lua = await AsyncLua.boot(8, { memoryLimit: 4 * 1024 * 1024 })
    const mountpoint = await lua.handler(`
      if env.QUERY_STRING == 'fill' then
        local kept = {}
        uwsgi.wait('fill')
        for i = 1, math.huge do kept[i] = ('x'):rep(1000) .. i end
      end
      local text = ('y'):rep(1000)
      return 200, {}, #(text .. uwsgi.wait('other'))  .. ''`)
    const other = lua.request({ mountpoint })
    for (let round = 0; round < 5; round += 1) {
      const full = lua.request({ mountpoint, query: 'fill' })
      await lua.open('fill')
      expect(await full).toMatchObject({ status: '500 Internal Server Error', result: -1 })
      expect(lua.harness.logLines.join('\n')).toContain('not enough memory')
    }
    await lua.open('other', 'z'.repeat(1000))
    expect((await other).text).toBe('2000')
    await alive()
  })

  it('for an answer is an error at the call', async () => {
    lua = await AsyncLua.boot(8, { memoryLimit: 4 * 1024 * 1024 })
    const mountpoint = await lua.handler(`
      local ok, message = pcall(coroutine.wrap(function() return uwsgi.wait('large') end))
      return 200, {}, tostring(ok) .. message .. uwsgi.wait('small')`)
    const answer = lua.request({ mountpoint })
    await lua.open('large', 'x'.repeat(5 * 1024 * 1024))
    await lua.open('small', '!')
    expect((await answer).text).toMatch(/^false.*not enough memory!$/)
  })

  it('for the threads of cores answers 500, and is over when others are done', async () => {
    lua = await AsyncLua.boot(20_000, { memoryLimit: 3 * 1024 * 1024 })
    const mountpoint = await lua.handler(
      `local kept = ('x'):rep(200) .. env.QUERY_STRING return 200, {}, uwsgi.wait(env.QUERY_STRING) .. #kept`,
    )
    const answers = []
    // Each of them takes more than a kilobyte.
    for (let id = 0; id < 3000; id += 1) answers.push(lua.request({ mountpoint, query: String(id) }))
    await tick()
    expect(lua.harness.logLines.join('\n')).toContain('not enough memory')
    const waited = lua.gates.size
    expect(waited).toBeGreaterThan(200)
    expect(waited).toBeLessThan(2500)
    for (const gate of lua.gates.values()) gate.resolve('fine')
    const statuses = (await Promise.all(answers)).map(({ status }) => status)
    expect(statuses.filter((status) => status.startsWith('200'))).toHaveLength(waited)
    expect(statuses.filter((status) => status.startsWith('500'))).toHaveLength(3000 - waited)
    lua.gates.clear()
    await alive()
  })
})

it('thousands of waits of every kind leave nothing behind', async () => {
  const opened = vi.spyOn(LuaWorker.prototype, 'open')
  const mountpoint = await lua.handler(
    `
    if env.QUERY_STRING == 'count' then
      collectgarbage() collectgarbage()
      return 200, {}, tostring(collectgarbage('count'))
    end
    return ways[env.QUERY_STRING](env)`,
    `
    uwsgi.keep('later', function(s) uwsgi.turn() return s end)
    uwsgi.keep('fails', function(s) uwsgi.turn() error('each time') end)
    ways = {}
    function ways.plain() uwsgi.turn() return 200, {}, 'x' end
    function ways.nested()
      local function nest(n) if n == 0 then uwsgi.turn() return ('y'):rep(100) end return coroutine.wrap(nest)(n - 1) end
      return 200, {}, nest(3)
    end
    function ways.stream() return 200, {}, coroutine.wrap(function() for i = 1, 3 do uwsgi.turn() coroutine.yield('part' .. i) end end) end
    function ways.fail() uwsgi.turn() error('each time') end
    function ways.caught() pcall(uwsgi.wait, 'fails') return 200, {}, '' end
    function ways.left() left = coroutine.create(uwsgi.turn) coroutine.resume(left) return 200, {}, '' end
    function ways.rpc() return 200, {}, uwsgi.call_later('later', 'r') .. tostring(pcall(uwsgi.call_later, 'fails')) end
    function ways.body(env) return 200, {}, env.input:read() end
    function ways.given_up() uwsgi.wait('given up') end
    function ways.abandoned() coroutine.wrap(function() while true do pcall(uwsgi.wait, 'given up') end end)() end
    function ways.module() package.loaded.gone = nil return 200, {}, tostring(pcall(require, 'gone')) end`,
  )
  const names = ['plain', 'nested', 'stream', 'fail', 'caught', 'left', 'rpc', 'body', 'given_up', 'abandoned', 'module']
  const slowBody = () => {
    const pieces = [new Uint8Array(5000).fill(0xfe), new Uint8Array(9000)]
    const read = (): Uint8Array => pieces.shift() ?? new Uint8Array(0)
    const readAsync = (): Promise<Uint8Array> => tick().then(read)
    return { contentLength: 14_000, whole: undefined, canReadNow: () => false, read, readAsync }
  }
  const serve = async (name: string): Promise<string> => {
    const answer = lua.request({ mountpoint, query: name, ...(name === 'body' ? { bodySource: slowBody() } : {}) })
    if (name === 'caught') await lua.open('fails', new Error('no'))
    if (name === 'given_up' || name === 'abandoned') giveUp(lua.requests.at(-1) as WsgiRequest)
    return (await answer).text
  }
  const round = async (): Promise<void> => {
    lua.requests.length = 0
    lua.gates.clear()
    lua.harness.logLines.length = 0
    const one = Promise.all(['plain', 'nested', 'stream', 'rpc'].map(serve))
    for (const name of names) await serve(name)
    await one
  }
  await serve('plain')
  const { runtime } = opened.mock.contexts[0] as LuaWorker
  const { lua_rawlen, memory } = runtime.lua as unknown as {
    lua_rawlen(L: number, index: number): number
    memory: { buffer: ArrayBuffer }
  }
  const measure = async () => ({
    kib: Number(await serve('count')),
    references: lua_rawlen(runtime.main, registryIndex),
    heap: memory.buffer.byteLength,
    waiting: runtime.waiting.size,
  })
  for (let index = 0; index < 50; index += 1) await round()
  const before = await measure()
  for (let index = 0; index < 400; index += 1) await round()
  const after = await measure()
  expect(after.references).toBe(before.references)
  expect(after.waiting).toBe(0)
  expect(after.kib - before.kib).toBeLessThan(8)
  expect(after.heap).toBe(before.heap)
  opened.mockRestore()
})
