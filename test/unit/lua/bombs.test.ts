// Guest code that takes too much of something: it ends in an error, in bounded memory, and the state lives on. What a guest
// holds for good is another matter: then the state is given up, and the worker with it.
import { describe, expect, it } from 'vitest'
import { bootLua, evaluate, mountSource } from './fixture.ts'

describe('too much', () => {
  const bombs: [string, string, RegExp][] = [
    ['string.rep', `local s = ('x'):rep(1 << 30)`, /not enough memory|resulting string too large/],
    ['doubling by concatenation', `local s = 'x' while true do s = s .. s end`, /not enough memory|string length overflow/],
    ['a table without end', `local t = {} for i = 1, math.huge do t[i] = i end`, /not enough memory|table overflow/],
    ['a table of strings', `local t = {} for i = 1, math.huge do t[i] = ('y'):rep(1000) .. i end`, /not enough memory/],
    ['coroutines', `local t = {} for i = 1, math.huge do t[i] = coroutine.create(function() end) end`, /not enough memory/],
    ['gsub that grows', `local s = ('x'):rep(1e6) for i = 1, 99 do s = s:gsub('x', 'xx') end`, /not enough memory|too large/],
    ['recursion', `local function f() return 1 + f() end f()`, /stack overflow|not enough memory/],
    [
      'recursion through pcall',
      `local function f() return pcall(f) and error('up') end error(select(2, f()) or 'ended')`,
      /overflow|ended|up/,
    ],
    [
      'recursion through metamethods',
      `local t = setmetatable({}, {}) getmetatable(t).__index = function(t, k) return t[k] end return t.x`,
      /overflow/,
    ],
    [
      'recursion through tostring',
      `local t = setmetatable({}, {}) getmetatable(t).__tostring = function(t) return tostring(t) end tostring(t)`,
      /overflow/,
    ],
    ['recursion through coroutines', `local function f() return coroutine.wrap(f)() end f()`, /overflow/],
    ['recursion through gsub', `local function f() return (('x'):gsub('x', f)) end f()`, /overflow/],
    [
      'recursion through load',
      `local function f() return load('return ...')(load(f)) end f()`,
      /overflow|error in error handling|true/,
    ],
    [
      'recursion through __close',
      `local function f() local x <close> = setmetatable({}, { __close = f }) error('x') end f()`,
      /overflow|not enough memory/,
    ],
    ['an error handler that fails', `local function f(e) error(e) end return xpcall(error, f, 'x')`, /x$/],
    [
      'a sort that lies',
      `local t = {} for i = 1, 1000 do t[i] = i % 7 end table.sort(t, function() return true end)`,
      /invalid order function|attempt/,
    ],
    [
      'a sort that yields',
      `coroutine.wrap(function() table.sort({ 3, 2, 1 }, coroutine.yield) end)()`,
      /attempt to yield across a C-call boundary/,
    ],
    [
      'a table changed under next',
      `local t = { a = 1 } for k in next, t do t[k] = nil t[k .. k] = 1 if #k > 1e5 then error('ended') end end`,
      /ended|true|invalid key/,
    ],
    ['nested parentheses', `error(select(2, load(('('):rep(100000) .. '1' .. (')'):rep(100000))))`, /overflow/],
    ['nested tables in source', `error(select(2, load('return ' .. ('{'):rep(100000))))`, /overflow/],
    [
      'a pattern that recurses',
      `('x'):rep(300000):find(('x?'):rep(300000) .. ('x'):rep(300000))`,
      /too complex|too large|malformed/,
    ],
    ['string.format', `('%99.99f'):rep(1e6):format(1)`, /bad argument|not enough memory/],
    ['table.concat', `local t = {} for i = 1, 2000 do t[i] = ('z'):rep(1e6) end`, /not enough memory/],
    ['unpack', `return select('#', table.unpack({}, 1, 1e8))`, /too many results to unpack/],
    ['string.byte', `return ('x'):rep(1e7):byte(1, -1)`, /string slice too long|stack overflow|not enough memory/],
  ]

  it.each(bombs)('%s ends in an error that the app can catch', async (_name, statements, message) => {
    const small = await bootLua({ memoryLimit: 32 * 1024 * 1024 })
    expect(await evaluate(small, statements)).toMatch(message)
    expect(await evaluate(small, `collectgarbage() local t = {} for i = 1, 10000 do t[i] = tostring(i) end return #t`)).toBe(
      'true | 10000',
    )
  })

  it('an uncaught one is answered 500, and the next request is served', async () => {
    const small = await bootLua({ memoryLimit: 16 * 1024 * 1024 })
    const mountpoint = await mountSource(
      small,
      `return function(env)
        if env.QUERY_STRING == 'bomb' then local t = {} for i = 1, math.huge do t[i] = { i } end end
        return 200, {}, 'alive'
      end`,
    )
    for (let round = 0; round < 5; round += 1) {
      expect((await small.request({ mountpoint, query: 'bomb' })).status).toBe('500 Internal Server Error')
      expect(small.logLines.join('\n')).toContain('not enough memory')
      expect((await small.request({ mountpoint })).text).toBe('alive')
    }
  })

  it('memory that a guest keeps for good ends the state, so that the worker is replaced', async () => {
    const small = await bootLua({ memoryLimit: 8 * 1024 * 1024 })
    const mountpoint = await mountSource(
      small,
      `kept = {}
      return function(env)
        for i = 1, env.QUERY_STRING do kept[#kept + 1] = ('k'):rep(1000) .. #kept end
        return 200, {}, 'kept'
      end`,
    )
    expect((await small.request({ mountpoint, query: '1000' })).text).toBe('kept')
    await expect(small.request({ mountpoint, query: '1000000' })).rejects.toMatchObject({
      fatal: true,
      message: 'the Lua interpreter failed: its memory is full and cannot be freed',
    })
    expect(small.logLines.join('\n')).toContain('not enough memory')
    await expect(small.request({ mountpoint, query: '0' })).rejects.toMatchObject({ fatal: true })
  })

  it('a limit below what Lua itself needs is refused at start', async () => {
    await expect(bootLua({ memoryLimit: 1024 * 1024 })).rejects.toThrow()
  })
})
