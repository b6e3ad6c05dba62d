// Guest code that is stopped from outside: whatever it does, none of it runs any more, its entry ends by an error of code HARAKIRI,
// and the state serves on. The word is set before the code runs, and seen once it does not end.
import { describe, expect, it } from 'vitest'
import { maximumDepth } from '../../../bindings/lua/entries.ts'
import { PolywsgiError } from '../../../host/errors.ts'
import { PluginHarness } from '../../support/plugin-harness.ts'
import { TestStops } from '../../support/test-stops.ts'
import { AsyncLua } from './async-fixture.ts'
import { bootLua, evaluate, mountSource, writeFiles } from './fixture.ts'
import { bound, param, pluginWith, Registry } from './test-api.ts'

const thrown = async (run: () => unknown): Promise<unknown> => {
  try {
    await run()
  } catch (error) {
    return error
  }
  throw new Error('it ended by itself')
}

const expectOverrun = (error: unknown): void => {
  expect(error).toBeInstanceOf(PolywsgiError)
  expect(error).toMatchObject({ code: 'HARAKIRI', message: 'it took longer than it may: harakiri' })
}

interface Booted {
  readonly harness: PluginHarness
  readonly stops: TestStops
}

const boot = async (options: { cores?: number; memoryLimit?: number } = {}): Promise<Booted> => {
  const stops = new TestStops(false)
  return { harness: await bootLua({ stops, ...options }), stops }
}

/** An app whose query `loop` runs these statements, and which otherwise answers whether any code ran past them. */
const looping = (harness: PluginHarness, statements: string): Promise<string> =>
  mountSource(
    harness,
    `local past = 'nothing'
return function(env)
  if env.QUERY_STRING == 'loop' then
    ${statements}
    past = 'the loop'
  end
  return 200, {}, past
end`,
  )

const loops: [string, string][] = [
  ['a loop without an end', `while true do end`],
  ['a loop with a condition at its end', `repeat until false`],
  ['a loop of goto', `::again:: goto again`],
  ['a loop that counts', `for i = 1, math.huge do end`],
  ['a loop that counts in whole numbers', `for i = 1, math.maxinteger do end`],
  ['a loop over an iterator in Lua', `for _ in function() return 1 end do end`],
  [
    'a loop over an iterator in C',
    `local t = { 1 } for _ in (function() return next end)(), t do end for _ in rawlen, 'x' do end`,
  ],
  ['calls without an end', `local function f() return f() end f()`],
  ['calls with any number of arguments', `local function f(...) return f(...) end f(1, 2)`],
  ['calls of two functions by each other', `local a, b a = function() return b() end b = function() return a() end a()`],
  ['a loop of function calls', `local function f() end while true do f() end`],
  ['a loop of method calls', `local o = { f = function() end } while true do o:f() end`],
  ['a loop of pcall', `while true do pcall(function() while true do end end) end`],
  ['pcall without an end', `local function f() return pcall(f) end while true do f() end`],
  ['a loop that catches errors', `while true do pcall(error, 'x') end`],
  ['a loop of xpcall', `while true do xpcall(function() while true do end end, function() while true do end end) end`],
  ['an error handler', `xpcall(error, function() while true do end end)`],
  ['a coroutine', `coroutine.wrap(function() while true do end end)()`],
  [
    'a coroutine in coroutines',
    `local w = coroutine.wrap w(function() w(function() w(function() while true do end end)() end)() end)()`,
  ],
  ['a loop of coroutines', `while true do coroutine.wrap(function() while true do coroutine.yield() end end)() end`],
  ['a loop of resume', `while true do coroutine.resume(coroutine.create(function() while true do end end)) end`],
  ['the end of a coroutine', `for _ in coroutine.wrap(function() while true do coroutine.yield(1) end end) do end`],
  ['a metamethod', `local t = setmetatable({}, { __index = function() while true do end end }) local _ = t.x`],
  [
    'a metamethod of concatenation',
    `local t = setmetatable({}, { __concat = function() while true do end end }) local _ = t .. 'x'`,
  ],
  ['a metamethod of comparison', `local t = setmetatable({}, { __lt = function() while true do end end }) local _ = t < t`],
  [
    'a metamethod of equality',
    `local m = { __eq = function() while true do end end } local _ = setmetatable({}, m) == setmetatable({}, m)`,
  ],
  ['a metamethod of length', `local t = setmetatable({}, { __len = function() while true do end end }) local _ = #t`],
  ['tostring', `tostring(setmetatable({}, { __tostring = function() while true do end end }))`],
  ['what is to be closed', `do local x <close> = setmetatable({}, { __close = function() while true do end end }) end`],
  [
    'what is to be closed around a loop',
    `local x <close> = setmetatable({}, { __close = function() while true do end end }) while true do end`,
  ],
  ['a comparator', `table.sort({ 3, 2, 1 }, function() while true do end end)`],
  [
    'a comparator that catches errors',
    `table.sort({ 3, 2, 1 }, function() while true do pcall(function() while true do end end) end end)`,
  ],
  ['a callback of gsub', `('x'):gsub('x', function() while true do end end)`],
  ['a callback of gsub that catches errors', `while true do pcall(string.gsub, 'x', 'x', function() while true do end end) end`],
  ['a loop of gsub', `while true do ('xyz'):gsub('.', string.upper) end`],
  ['a reader of load', `load(function() while true do end end)`],
  ['code that was loaded', `load('while true do end')()`],
  ['recursion', `local function f(n) if n == 0 then return 0 end return f(n - 1) + f(n - 1) end f(100)`],
  ['a loop of garbage', `while true do local t = { {} } t[1][1] = t end`],
  ['a loop of strings', `local i = 0 while true do i = i + 1 local s = ('x'):rep(100) .. i end`],
  ['a loop that looks at itself', `while true do debug.traceback() end`],
  ['a loop of the API', `while true do uwsgi.worker_id() end`],
]

describe.each([1, 2])('with %d cores', (cores) => {
  it.each(loops)('%s is stopped, and the state serves on', async (_name, statements) => {
    const { harness, stops } = await boot({ cores })
    const mountpoint = await looping(harness, statements)
    stops.set()
    expectOverrun(await thrown(() => harness.request({ mountpoint, query: 'loop' })))
    expect(stops.judged).toBe(1)
    expect(stops.traces).toHaveLength(1)
    expect(stops.traces[0]).toMatch(/^stack traceback:\n/)
    expect(stops.traces[0]).toMatch(/app\.lua:\d+: in /)
    expect(stops.traces[0]).not.toContain('(polywsgi)')
    for (let round = 0; round < 3; round += 1) {
      expect((await harness.request({ mountpoint })).text).toBe('nothing')
    }
  })
})

describe('a stop', () => {
  it('tells the line where the code was, and those where coroutines that had resumed each other would go on', async () => {
    const { harness, stops } = await boot()
    const mountpoint = await mountSource(
      harness,
      `local function innermost()
  while true do end
end
local function middle()
  coroutine.wrap(innermost)()
end
return function()
  coroutine.wrap(middle)()
end`,
    )
    stops.set()
    await thrown(() => harness.request({ mountpoint }))
    const lines = (stops.traces[0] as string).split('\n')
    const places = lines.flatMap((line) => /app\.lua:(\d+): in/.exec(line)?.slice(1) ?? [])
    expect(places).toEqual(['2', '6', '9'])
    expect(lines.filter((line) => line === 'stack traceback:')).toHaveLength(1)
  })

  it('does not happen where the code that runs is not what overran', async () => {
    const { harness, stops } = await boot()
    const mountpoint = await mountSource(
      harness,
      `return function()
        local n = 0
        for i = 1, 100000 do n = n + 1 end
        return 200, {}, tostring(n)
      end`,
    )
    stops.verdict = undefined
    stops.set()
    expect((await harness.request({ mountpoint })).text).toBe('100000')
    expect(stops.judged).toBe(1)
    expect(stops.traces).toEqual([])
  })

  it('ends a body under way', async () => {
    const { harness, stops } = await boot()
    const mountpoint = await mountSource(
      harness,
      `return function(env)
        local n = 0
        return 200, {}, function()
          n = n + 1
          if n == 3 then while env.QUERY_STRING == 'loop' do end end
          if n < 5 then return 'chunk' .. n end
        end
      end`,
    )
    stops.set()
    const sent: string[] = []
    const onSend = (chunk: Uint8Array | undefined): void => void sent.push(Buffer.from(chunk ?? []).toString())
    expectOverrun(await thrown(() => harness.request({ mountpoint, query: 'loop', onSend })))
    expect(sent).toEqual(['chunk1', 'chunk2'])
    expect((await harness.request({ mountpoint })).text).toBe('chunk1chunk2chunk3chunk4')
  })

  it('holds in code that loops while it is told of an error', async () => {
    const { harness, stops } = await boot()
    const mountpoint = await looping(harness, `error(setmetatable({}, { __tostring = function() while true do end end }))`)
    stops.set()
    expectOverrun(await thrown(() => harness.request({ mountpoint, query: 'loop' })))
    expect((await harness.request({ mountpoint })).text).toBe('nothing')
  })

  it('holds without memory for a trace', async () => {
    const { harness, stops } = await boot({ memoryLimit: 8 * 1024 * 1024 })
    const mountpoint = await looping(
      harness,
      `local t, n = {}, 0
      while true do
        pcall(function() while true do n = n + 1 t[n] = { n } end end)
      end`,
    )
    stops.verdict = undefined
    const { judge } = stops
    // Once the memory is full, and the loop goes on in want of it.
    stops.judge = function (this: TestStops) {
      if (this.judged === 400) this.verdict = 'it took longer than it may: harakiri'
      const verdict = judge.call(this)
      if (verdict === undefined) this.set()
      return verdict
    }
    stops.set()
    expectOverrun(await thrown(() => harness.request({ mountpoint, query: 'loop' })))
    expect(stops.traces).toHaveLength(1)
    expect((await harness.request({ mountpoint })).text).toBe('nothing')
  })

  it('leaves a module that was being loaded to be loaded again', async () => {
    for (const cores of [1, 2]) {
      const { harness, stops } = await boot({ cores })
      const directory = writeFiles({
        'slow.lua': `while slow do end return 'loaded'`,
        'app.lua': `return function(env)
          slow = env.QUERY_STRING == 'loop'
          return 200, {}, require 'slow'
        end`,
      })
      await harness.mount(`${directory}/app.lua`, '/modules')
      stops.set()
      expectOverrun(await thrown(() => harness.request({ mountpoint: '/modules', query: 'loop' })))
      expect((await harness.request({ mountpoint: '/modules' })).text).toBe('loaded')
    }
  })

  it('leaves a coroutine that the guest has kept, which goes on where it was', async () => {
    const { harness, stops } = await boot()
    const mountpoint = await mountSource(
      harness,
      `local n, ending = 0, false
local kept = coroutine.create(function()
  while not ending do n = n + 1 end
  return 'ended'
end)
return function(env)
  ending = env.QUERY_STRING == 'end'
  local ok, value = coroutine.resume(kept)
  return 200, {}, tostring(value)
end`,
    )
    stops.set()
    expectOverrun(await thrown(() => harness.request({ mountpoint })))
    expect((await harness.request({ mountpoint, query: 'end' })).text).toBe('ended')
  })

  it('leaves no thread behind, however many there are', async () => {
    const { harness, stops } = await boot({ memoryLimit: 4 * 1024 * 1024 })
    const mountpoint = await looping(harness, `local s = ('x'):rep(100000) while true do end`)
    for (let round = 0; round < 200; round += 1) {
      stops.set()
      expectOverrun(await thrown(() => harness.request({ mountpoint, query: 'loop' })))
    }
    expect((await harness.request({ mountpoint })).text).toBe('nothing')
  })

  it('ends an app that does not get loaded, which says so', async () => {
    const { harness, stops } = await boot()
    stops.set()
    const error = await thrown(() => mountSource(harness, `while true do end`))
    expect(error).toMatchObject({ code: 'APP_LOAD', message: expect.stringMatching(/cannot load the Lua app .*harakiri/) })
    expect((error as { details: string }).details).toMatch(/app\.lua:1: in /)
  })
})

describe('what runs beside requests', () => {
  const withFunctions = async (options: { cores?: number } = {}) => {
    const stops = new TestStops(false)
    const registry = new Registry()
    const quiet = bound('quiet', [param('name', 'text')], 'bytes', (name: string) => {
      try {
        return registry.call(name)
      } catch (error) {
        expectOverrun(error)
        return 'stopped'
      }
    })
    const plugin = pluginWith({ functions: [...registry.entries, quiet] })
    return { harness: await PluginHarness.boot(plugin, { stops, ...options }), stops, registry }
  }

  it('a function that another thread calls is stopped, more often than there are places for entries', async () => {
    const { harness, stops, registry } = await withFunctions()
    await evaluate(harness, `uwsgi.keep('f', function(s) while s == 'loop' do end return 'ended' end)`)
    for (let round = 0; round < 2 * maximumDepth; round += 1) {
      stops.set()
      expectOverrun(await thrown(() => registry.call('f', [Buffer.from('loop')])))
    }
    expect(stops.traces).toHaveLength(2 * maximumDepth)
    expect(registry.callText('f')).toBe('ended')
  })

  it('a handler of a signal, a message and a job are stopped', async () => {
    const { harness, stops, registry } = await withFunctions()
    await evaluate(
      harness,
      `local function loop() while looping do end return -2 end
      uwsgi.keep('loop', loop)
      uwsgi.mule_msg_hook, uwsgi.spooler, uwsgi.after_req_hook = loop, loop, function() end
      function start() looping = true end
      start()`,
    )
    const { plugin } = harness
    const handler = registry.functions.get('loop')?.handler
    const runs = [
      () => plugin.signalHandler?.(3, handler),
      () => plugin.muleMsg?.(Buffer.from('m')),
      () => plugin.spooler?.('/job', new Map(), new Uint8Array(0)),
    ]
    for (const run of runs) {
      stops.set()
      expectOverrun(await thrown(run))
    }
    expect(stops.traces).toHaveLength(3)
    for (const trace of stops.traces) expect(trace).toMatch(/app\.lua:\d+: in /)
  })

  it('the request that has called what is stopped ends with it, whatever it catches', async () => {
    const { harness, stops } = await withFunctions()
    const mountpoint = await looping(
      harness,
      `uwsgi.keep('f', function() while true do end end)
      pcall(uwsgi.call, 'f')
      pcall(pcall, pcall, uwsgi.call, 'f')`,
    )
    stops.set()
    expectOverrun(await thrown(() => harness.request({ mountpoint, query: 'loop' })))
    expect(stops.judged).toBe(1)
    expect(stops.traces).toHaveLength(1)
    expect((await harness.request({ mountpoint })).text).toBe('nothing')
  })

  it('the request below goes on where somebody between has taken the error', async () => {
    const { harness, stops } = await withFunctions()
    const mountpoint = await looping(
      harness,
      `uwsgi.keep('f', function() while true do end end)
      past = uwsgi.quiet('f')
      for i = 1, 10000 do past = past .. '' end
      do return 200, {}, past end`,
    )
    stops.set()
    expect((await harness.request({ mountpoint, query: 'loop' })).text).toBe('stopped')
    expect(stops.judged).toBe(1)
  })

  it('other requests of the worker go on, each where it waits', async () => {
    const stops = new TestStops(false)
    const lua = await AsyncLua.boot(8, { stops })
    const loop = await lua.handler(`
      coroutine.wrap(function()
        uwsgi.wait('loop')
        pcall(function() while true do end end)
      end)()`)
    const wait = await lua.handler(`
      local s = ''
      for name in env.QUERY_STRING:gmatch('%w+') do s = s .. uwsgi.wait(name) .. ' ' end
      return 200, {}, s`)
    const before = lua.request({ mountpoint: wait, query: 'a b' })
    const overdue = lua.request({ mountpoint: loop })
    const after = lua.request({ mountpoint: wait, query: 'c d' })
    await lua.open('a')
    stops.set()
    await Promise.all([thrown(() => overdue).then(expectOverrun), lua.open('loop')])
    expect(stops.traces).toHaveLength(1)
    for (const name of ['c', 'b', 'd']) await lua.open(name)
    expect((await before).text).toBe('opened a opened b ')
    expect((await after).text).toBe('opened c opened d ')
  })

  it('a function that waited is stopped, and its caller is told', async () => {
    const stops = new TestStops(false)
    const lua = await AsyncLua.boot(8, { stops })
    await lua.answer(`uwsgi.keep('f', function() uwsgi.wait('f') while true do end end) return 200, {}, ''`)
    for (let round = 0; round < 3; round += 1) {
      const called = thrown(() => lua.run('f'))
      stops.set()
      await lua.open('f')
      expectOverrun(await called)
    }
    expect(await lua.answer(`return 200, {}, uwsgi.quick()`)).toBe('at once')
  })
})
