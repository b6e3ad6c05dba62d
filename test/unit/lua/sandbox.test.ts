// What guest code cannot do: reach the host or crash the interpreter (bombs.test.ts: take all of its memory or stack). And
// what it still can, since the replaced functions must behave like Lua's own.
import { beforeAll, describe, expect, it } from 'vitest'
import { luaReaches } from '../../support/guest-attacks.ts'
import type { PluginHarness } from '../../support/plugin-harness.ts'
import { bootLua, evaluate, mountSource } from './fixture.ts'

let harness: PluginHarness
beforeAll(async () => {
  harness = await bootLua()
})

const run = (statements: string): Promise<string> => evaluate(harness, statements)

describe('what is not there', () => {
  it.each([
    'io.popen',
    'io.tmpfile',
    'io.stdin',
    'io.output',
    'dofile',
    'loadfile',
    'os.execute',
    'os.exit',
    'os.tmpname',
    'os.setlocale',
    'string.dump',
    'package.loadlib',
    'package.cpath',
    'debug.getinfo',
    'debug.getregistry',
    'debug.getmetatable',
    'debug.setmetatable',
    'debug.getupvalue',
    'debug.setupvalue',
    'debug.upvalueid',
    'debug.upvaluejoin',
    'debug.getlocal',
    'debug.setlocal',
    'debug.sethook',
    'debug.gethook',
    'debug.getuservalue',
    'debug.setuservalue',
    'debug.debug',
    'debug.setcstacklimit',
  ])('%s is nil', async (name) => {
    expect(await run(`return ${name}`)).toBe('true | nil')
  })

  it.each(['io', 'os', 'package', 'debug', 'string'])("require '%s' gives no more than the global does", async (name) => {
    expect(await run(`return rawequal(select(2, pcall(require, '${name}')), ${name}) or ${name} == nil`)).toBe('true | true')
  })

  it('nothing in the globals or reachable from them has a name that was pruned', async () => {
    const forbidden =
      `execute popen getupvalue setupvalue getregistry dump loadlib dofile loadfile sethook newEnv readModule openFile readFile
      argument keep`.split(/\s+/)
    const reaches = luaReaches(['_G', "getmetatable('')", 'env'], forbidden)
    const found = await run(`${reaches} return #bad, table.concat(bad, ' ')`)
    expect(found).toBe('true | 0 | ')
  })
})

describe('escapes', () => {
  it('byte code is not loaded', async () => {
    expect(await run(`return load('\\27Lua\\x54\\0\\x19\\x93\\r\\n\\x1a\\n')`)).toMatch(
      /^true \| nil \| .*attempt to load a binary chunk \(mode is 't'\)$/,
    )
    expect(await run(`return load('\\27Lua', 'x', 'b')`)).toBe("true | nil | attempt to load a text chunk (mode is 'b')")
    expect(await run(`return load('\\27Lua', 'x', 'bt')`)).toMatch(/attempt to load a binary chunk \(mode is 't'\)$/)
    expect(
      await run(`local once return load(function() if not once then once = true return '\\27Lua' end end, 'x', 'b')`),
    ).toMatch(/attempt to load a text chunk/)
  })

  it('a metatable with __gc is refused, whatever it holds', async () => {
    const refusal = "false | app.lua:2: bad argument #2 to 'setmetatable' ('__gc' is not available: finalizers cannot be stopped)"
    expect(await run(`setmetatable({}, { __gc = function() end })`)).toContain(refusal)
    expect(await run(`setmetatable({}, { __gc = false })`)).toContain(refusal)
    // Fields added later do not make an object finalizable; through __index they do not count.
    expect(
      await run(`local ran
        local mt = {} local object = setmetatable({}, mt) mt.__gc = function() ran = true end
        setmetatable({}, setmetatable({}, { __index = { __gc = function() ran = true end } }))
        object = nil collectgarbage() collectgarbage()
        return ran`),
    ).toBe('true | nil')
  })

  it('the metatables of shared objects stay closed', async () => {
    expect(await run(`return getmetatable(env.input), getmetatable(env.error), type(getmetatable('').__index)`)).toBe(
      'true | false | false | table',
    )
  })

  it('a guest that changes the string metatable does not change the binding', async () => {
    const own = await bootLua()
    const mountpoint = await mountSource(
      own,
      `local mt = getmetatable('')
      return function(env)
        mt.__index = function() error('changed') end
        string.find, table.concat, tostring, error, pcall, next = nil
        for name in pairs(string) do string[name] = nil end
        return 200, { ['Content-Type'] = 'text/plain' }, 'still here'
      end`,
    )
    expect((await own.request({ mountpoint })).text).toBe('still here')
    expect((await own.request({ mountpoint })).text).toBe('still here')
  })

  it('a host function has nothing behind it', async () => {
    expect(await run(`return type(uwsgi.log), pcall(function() return uwsgi.log.constructor end)`)).toBe(
      "true | function | false | app.lua:2: attempt to index a function value (field 'log')",
    )
    expect(await run(`return uwsgi.__proto__, uwsgi.constructor, uwsgi.hostname.constructor`)).toBe('true | nil | nil | nil')
  })

  it('coroutines cannot be used to enter the binding', async () => {
    const mountpoint = await mountSource(
      harness,
      `kept = nil
      return function(env)
        local old = kept
        kept = coroutine.running()
        local answer = old and table.pack(coroutine.resume(old)) or { 'first' }
        return 200, {}, tostring(answer[1]) .. ' ' .. tostring(answer[2]) .. ' ' .. coroutine.status(kept)
      end`,
    )
    await harness.request({ mountpoint })
    expect((await harness.request({ mountpoint })).text).toBe('false cannot resume non-suspended coroutine running')
    const outside = await mountSource(
      harness,
      `return function(env)
        uwsgi.thread = uwsgi.thread or coroutine.running()
        return 200, {}, ''
      end`,
    )
    await harness.request({ mountpoint: outside })
    await mountSource(
      harness,
      `print(coroutine.status(uwsgi.thread), coroutine.resume(uwsgi.thread)) uwsgi.thread = nil return function() end`,
    )
    expect(harness.logLines.at(-1)).toBe('dead\tfalse\tcannot resume dead coroutine')
  })
})

describe('load', () => {
  it('compiles text with the globals of the app that calls it', async () => {
    expect(await run(`mine = 5 return load('return mine, _G.mine, ...', 'x')(7)`)).toBe('true | 5 | 5 | 7')
  })

  it('takes an environment, nil included', async () => {
    expect(await run(`return load('return x', 'x', 't', { x = 1 })(), pcall(load('return x', '=x', 't', nil))`)).toMatch(
      /^true \| 1 \| false \| x:1: attempt to index a nil value \(upvalue '_ENV'\)$/,
    )
  })

  it('takes a function that returns pieces', async () => {
    expect(
      await run(`local parts, i = { 'ret', 'urn ', '4', '2' }, 0 return load(function() i = i + 1 return parts[i] end)()`),
    ).toBe('true | 42')
    expect(await run(`return load(function() error('no more', 0) end)`)).toBe('true | nil | no more')
    expect(await run(`return load(function() return {} end)`)).toBe('true | nil | reader function must return a string')
  })

  it('answers nil and a message for what does not compile', async () => {
    expect(await run(`return load('x = = 1', '=mine')`)).toBe("true | nil | mine:1: unexpected symbol near '='")
    expect(await run(`return load('x =')`)).toBe(`true | nil | [string "x ="]:1: unexpected symbol near <eof>`)
    expect(await run(`load()`)).toMatch(/bad argument #1 to 'load' \(function expected, got no value\)/)
  })
})

describe('xpcall', () => {
  it('gives results, errors and handler results as Lua does', async () => {
    expect(await run(`return xpcall(function(...) return ... end, print, 1, nil, 3)`)).toBe('true | true | 1 | nil | 3')
    expect(await run(`return xpcall(error, function(e) return 'handled ' .. e, 'dropped' end, 'x')`)).toBe(
      'true | false | handled x',
    )
    expect(await run(`return xpcall(error, function(e) error('again', 0) end, 'x')`)).toBe('true | false | again')
    expect(await run(`return pcall(xpcall, print)`)).toMatch(/bad argument #2 to 'xpcall' \(function expected, got no value\)/)
  })

  it('shows the stack of the error to debug.traceback inside the handler', async () => {
    const text = await run(`
      local function deep() error('down here') end
      local function outer() deep() return 1 end
      return select(2, xpcall(outer, debug.traceback))`)
    expect(text).toMatch(/app\.lua:3: down here\nstack traceback:\n[\s\S]*app\.lua:3: in upvalue 'deep'\n[\s\S]*app\.lua:4: in/)
    expect(text).not.toContain('polywsgi')
    const nested = await run(`
      local function deep() error('down here') end
      local _, inner = xpcall(deep, function(e)
        xpcall(error, function() end, 'other')
        return debug.traceback(e, 2)
      end)
      return inner, debug.traceback('now')`)
    const [, inner, now] = nested.split(' | ')
    expect(inner).toMatch(/app\.lua:3: down here\nstack traceback:[\s\S]*app\.lua:3: in/)
    expect(now).toMatch(/^now\nstack traceback:\n\tapp\.lua:8: in/)
    expect(now).not.toContain('app.lua:3')
  })

  it('leaves debug.traceback as it is elsewhere', async () => {
    expect(
      await run(
        `local t = {} return rawequal(debug.traceback(t), t), debug.traceback('m', 0):match('^m\\nstack traceback:') ~= nil`,
      ),
    ).toBe('true | true | true')
    const text = await run(`
      local co = coroutine.create(function() coroutine.yield() end) coroutine.resume(co)
      return debug.traceback(co), debug.traceback(co, nil), debug.traceback(co, 'm', 1)`)
    expect(text.split(' | ').slice(1)).toEqual([
      expect.stringMatching(/^stack traceback:\n\t\[C\]: in function 'coroutine.yield'\n|^stack traceback:\n\t\[C\]: in/),
      expect.stringMatching(/^stack traceback:\n\t\[C\]: in/),
      expect.stringMatching(/^m\nstack traceback:\n\tapp\.lua:3: in/),
    ])
  })

  it('lets a coroutine wait inside the function and inside the handler', async () => {
    expect(
      await run(`local co = coroutine.wrap(function()
        return xpcall(function() coroutine.yield('a') error('x', 0) end, function(e) coroutine.yield('b') return e .. '!' end)
      end)
      return co(), co(), co()`),
    ).toBe('true | a | b | false | x!')
  })
})

describe('the rest of the libraries', () => {
  it('setmetatable checks and answers like the original', async () => {
    expect(
      await run(
        `local t = {} return rawequal(setmetatable(t, { __index = { x = 1 } }), t), t.x, getmetatable(setmetatable(t, nil))`,
      ),
    ).toBe('true | true | 1 | nil')
    expect(await run(`setmetatable(1, {})`)).toMatch(/bad argument #1 to 'setmetatable' \(table expected, got number\)/)
    expect(await run(`setmetatable({})`)).toMatch(/bad argument #2 to 'setmetatable' \(nil or table expected/)
    expect(await run(`setmetatable(setmetatable({}, { __metatable = 1 }), {})`)).toMatch(/cannot change a protected metatable/)
  })

  it('math.random is seeded differently in every state', async () => {
    const other = await bootLua()
    const numbers = `return math.random(0), math.random(0)`
    expect(await run(numbers)).not.toBe(await evaluate(other, numbers))
  })

  it('os.clock counts CPU seconds', async () => {
    expect(await run(`local a = os.clock() repeat local b = os.clock() until b > a return a > 0, math.type(a)`)).toBe(
      'true | true | float',
    )
  })

  it('os.time is the time and takes tables', async () => {
    const now = Math.floor(Date.now() / 1000)
    const text = await run(`return os.time()`)
    expect(Math.abs(Number(text.split(' | ')[1]) - now)).toBeLessThan(60)
    expect(
      await run(`local t = os.time { year = 2024, month = 14, day = -3, hour = 5 } return os.date('%Y-%m-%d %H:%M', t)`),
    ).toBe('true | 2025-01-28 05:00')
    expect(await run(`os.time { year = 2024 }`)).toMatch(/field 'month' missing in date table/)
  })

  it('os.date formats, and refuses what it cannot', async () => {
    expect(await run(`return os.date('!%Y-%m-%dT%H:%M:%SZ %a %j', 86400 * 365)`)).toBe('true | 1971-01-01T00:00:00Z Fri 001')
    expect(
      await run(`local t = os.date('!*t', 1e9) return t.year, t.month, t.day, t.hour, t.min, t.sec, t.wday, t.yday, t.isdst`),
    ).toBe('true | 2001 | 9 | 9 | 1 | 46 | 40 | 1 | 252 | false')
    expect(await run(`os.date('%Y', 2^60)`)).toMatch(/date result cannot be represented in this installation/)
    expect(await run(`os.date('%Q')`)).toMatch(/invalid conversion specifier '%Q'/)
  })

  it('warn goes to the log when it is on', async () => {
    harness.logLines.length = 0
    await run(`warn('@on') warn('one ', 'two') warn('@off') warn('not this')`)
    expect(harness.logLines).toEqual(['Lua warning: one two'])
  })

  it('coroutines, closures and goto work inside a request', async () => {
    expect(
      await run(`local out = {}
      for value in coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end) do out[#out + 1] = value end
      local ok, message = pcall(coroutine.wrap(function() error('inside', 0) end))
      return table.concat(out, ','), ok, message, utf8.char(8364), ('x'):rep(3), #string.pack('i8', 1)`),
    ).toBe('true | 1,2,3 | false | inside | € | xxx | 8')
  })
})
