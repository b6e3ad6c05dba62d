// Guest code that runs while other guest code is on the stack: a host function led back into Lua. Each level has what is its
// own, an error crosses all levels as an error, and there is an end to how deep it goes.
import { beforeEach, describe, expect, it } from 'vitest'
import { maximumDepth } from '../../../bindings/lua/entries.ts'
import { PluginHarness } from '../../support/plugin-harness.ts'
import { evaluate, mountSource } from './fixture.ts'
import { bound, param, pluginWith, Registry } from './test-api.ts'

const { RuntimeError } = (globalThis as unknown as { WebAssembly: { RuntimeError: ErrorConstructor } }).WebAssembly

let registry: Registry
let harness: PluginHarness
/** What went through the functions that stand for another language between two levels of Lua. */
let between: string[]

const boot = (memoryLimit?: number): Promise<PluginHarness> => {
  registry = new Registry()
  between = []
  const other = bound(
    'other',
    [param('name', 'text'), param('argument', 'bytes')],
    'bytes',
    (name: string, argument: Uint8Array) => {
      between.push(`${name} in`)
      try {
        return registry.call(name, [argument])
      } finally {
        between.push(`${name} out`)
      }
    },
  )
  const swallow = bound('swallow', [param('name', 'text')], 'bytes', (name: string) => {
    try {
      return registry.call(name)
    } catch {
      return Buffer.from('swallowed')
    }
  })
  const trap = bound('trap', [], 'none', () => {
    throw new RuntimeError('unreachable')
  })
  const large = bound('large', [param('size', 'int')], 'bytes', (size: number) => new Uint8Array(size).fill(0x61))
  const plugin = pluginWith({ functions: [...registry.entries, other, swallow, trap, large] })
  return PluginHarness.boot(plugin, memoryLimit === undefined ? {} : { memoryLimit })
}

beforeEach(async () => {
  harness = await boot()
})

const run = (statements: string): Promise<string> => evaluate(harness, statements)
const alive = async (): Promise<void> => {
  expect(await run(`uwsgi.keep('alive', function(s) return s end) return uwsgi.call('alive', 'yes'), #('x'):rep(1000)`)).toBe(
    'true | yes | 1000',
  )
}

describe('levels inside each other', () => {
  it('pass their arguments and results through', async () => {
    const statements = `
      uwsgi.keep('one', function(s) local r = uwsgi.other('two', s .. '1') return r .. '1' end)
      uwsgi.keep('two', function(s) local r = uwsgi.call('three', s .. '2', 'x') return r .. '2' end)
      uwsgi.keep('three', function(...) return table.concat({ ... }, '+') .. '3' end)
      local before, after = 'before', nil
      local result = uwsgi.call('one', 's')
      after = 'after'
      return result, before, after`
    expect(await run(statements)).toBe('true | s12+x321 | before | after')
    expect(between).toEqual(['two in', 'two out'])
  })

  it('an error of the innermost is one of each that does not catch it', async () => {
    const statements = `
      uwsgi.keep('one', function(s) return uwsgi.other('two', s) end)
      uwsgi.keep('two', function(s)
        local ok, message = pcall(uwsgi.call, 'three', s)
        local closed <close> = setmetatable({}, { __close = function() cleaned = (cleaned or '') .. '2' end })
        if s == 'catch' then return 'caught ' .. message:match('%w+$') end
        error(message, 0)
      end)
      uwsgi.keep('three', function(s) local x <close> = setmetatable({}, { __close = function() cleaned = (cleaned or '') .. '3' end })
        error('from three') end)
      local ok, message = pcall(uwsgi.call, 'one', 'throw')
      return uwsgi.call('one', 'catch'), ok, message:match('[%w ]+$'), cleaned`
    expect(await run(statements)).toBe('true | caught three | false |  from three | 3232')
    expect(between).toEqual(['two in', 'two out', 'two in', 'two out'])
    await alive()
  })

  it('run in the middle of coroutines and metamethods, and each goes on where it was', async () => {
    const statements = `
      local log = {}
      uwsgi.keep('index', function(k) log[#log + 1] = k return k:upper() end)
      uwsgi.keep('co', function(n)
        local out = {}
        for v in coroutine.wrap(function() for i = 1, n do coroutine.yield(setmetatable({}, { __index = function(_, k)
          return uwsgi.call('index', k .. i) end })) end end) do out[#out + 1] = v.key end
        return table.concat(out, ',')
      end)
      local co = coroutine.wrap(function() coroutine.yield(uwsgi.call('co', '2')) coroutine.yield(uwsgi.call('co', '3')) end)
      local sorted = { 3, 1, 2 }
      table.sort(sorted, function(a, b) uwsgi.call('index', 's') return a < b end)
      return co(), co(), table.concat(sorted, ''), log[1]`
    expect(await run(statements)).toBe('true | KEY1,KEY2 | KEY1,KEY2,KEY3 | 123 | s')
  })

  it('each have room for long strings, both ways', async () => {
    const statements = `
      uwsgi.keep('double', function(s) return s .. uwsgi.large(200000) .. s end)
      local s = ('b'):rep(150000)
      local r = uwsgi.other('double', uwsgi.other('double', s))
      return #r, r:sub(1, 150000) == s, r:sub(-150000) == s, #r:gsub('b', '')`
    expect(await run(statements)).toBe('true | 1200000 | true | true | 600000')
  })

  it('leave the request as it is: its body, its log line, its variables', async () => {
    const mountpoint = await mountSource(
      harness,
      `return function(env)
        uwsgi.keep('read', function(n) return env.input:read(tonumber(n)) end)
        local parts = { env.input:read(2), uwsgi.call('read', 3), env.input:read(1), uwsgi.call('read', 4), env.input:read() }
        env.error:write('half ')
        uwsgi.keep('write', function() env.error:write('a line') end)
        uwsgi.call('write')
        env.error:write(' of two\\n')
        return 200, { ['X-Path'] = env.PATH_INFO }, table.concat(parts, '|')
      end`,
    )
    harness.logLines.length = 0
    const response = await harness.request({ mountpoint, method: 'POST', body: 'aabbbcddddrest', path: '/p' })
    expect(response.text).toBe('aa|bbb|c|dddd|rest')
    expect(response.headers).toEqual([['X-Path', '/p']])
    expect(harness.logLines).toEqual(['half a line of two'])
    await expect(async () => registry.callText('read', '1')).rejects.toThrow('no request is being served')
  })

  it('run while a body arrives, and it arrives whole', async () => {
    const mountpoint = await mountSource(
      harness,
      `uwsgi.keep('signal', function(s) return #(s .. uwsgi.large(100000)) end)
      return function(env) return 200, {}, env.input:read() end`,
    )
    const piece = (letter: string): Uint8Array => new Uint8Array(100_000).fill(letter.charCodeAt(0))
    const pieces = ['a', 'b', 'c'].map(piece)
    const bodySource = {
      contentLength: 300_000,
      whole: undefined,
      read: (): Uint8Array => {
        expect(registry.callText('signal', 'x'.repeat(100_000))).toBe('200000')
        return pieces.shift() ?? new Uint8Array(0)
      },
      readAsync: async (): Promise<Uint8Array> => bodySource.read(),
    }
    const { body } = await harness.request({ mountpoint, method: 'POST', bodySource })
    expect(Buffer.compare(body, Buffer.concat(['a', 'b', 'c'].map(piece)))).toBe(0)
  })

  it('hold when they run while an error is described or its thread unwound', async () => {
    const mountpoint = await mountSource(
      harness,
      `uwsgi.keep('fails', function() error(setmetatable({}, { __tostring = function() return 'inner text' end })) end)
      uwsgi.keep('works', function() return 'works' end)
      return function(env)
        local x <close> = setmetatable({}, { __close = function()
          closed = uwsgi.call('works') .. tostring(select(2, pcall(uwsgi.call, 'fails')))
          uwsgi.keep('closed', function() return closed end)
        end })
        error(setmetatable({}, { __tostring = function()
          local _, message = pcall(uwsgi.call, 'fails')
          return 'described: ' .. tostring(message) .. ', ' .. uwsgi.call('works')
        end }))
      end`,
    )
    for (let round = 0; round < 3; round += 1) {
      harness.logLines.length = 0
      expect((await harness.request({ mountpoint })).status).toBe('500 Internal Server Error')
      expect(harness.logLines[0]).toMatch(/: described: inner text, works$/)
      expect(registry.callText('closed')).toBe('worksinner text')
    }
    await alive()
  })
})

describe('the end of it', () => {
  it('is a clear error, which the levels below may catch', async () => {
    const statements = `
      local deepest = 0
      uwsgi.keep('f', function(n)
        n = n + 1
        if n > deepest then deepest = n end
        local ok, message = pcall(uwsgi.call, 'f', n)
        return message
      end)
      return uwsgi.call('f', 0), deepest, uwsgi.call('f', 0)`
    const message = `calls into Lua from within each other are too deep (at most ${maximumDepth})`
    expect(await run(statements)).toBe(`true | ${message} | ${maximumDepth} | ${message}`)
    await alive()
  })

  it('comes for two functions that call each other for ever', async () => {
    const statements = `
      uwsgi.keep('ping', function(s) return uwsgi.other('pong', s .. 'i') end)
      uwsgi.keep('pong', function(s) return uwsgi.call('ping', s .. 'o') end)
      uwsgi.call('ping', '')`
    expect(await run(statements)).toMatch(/^false \| .*too deep \(at most 40\)$/)
    expect(between.filter((line) => line.endsWith('in'))).toHaveLength(maximumDepth / 2)
    expect(between).toHaveLength(maximumDepth)
    await alive()
  })

  it.each([
    ['gsub', `return (('x'):gsub('x', function() return uwsgi.call('f') end))`],
    ['pcall and gsub', `return select(2, pcall(function() return (('x'):gsub('x', function() return uwsgi.call('f') end)) end))`],
    ['coroutines', `return coroutine.wrap(function() return coroutine.wrap(function() return uwsgi.call('f') end)() end)()`],
    ['metamethods', `local t = setmetatable({}, { __index = function(t, k) return uwsgi.call('f') end }) return t.x`],
    ['__close', `local t <close> = setmetatable({}, { __close = function() uwsgi.call('f') end }) error('up')`],
    ['__tostring of an error', `error(setmetatable({}, { __tostring = function() return uwsgi.call('f') end }))`],
    [
      'a Lua stack that is nearly full',
      `local function g(n) if n == 0 then return uwsgi.call('f') end return 1 + g(n - 1) end return g(5000)`,
    ],
    ['sort', `table.sort({ 2, 1 }, function(a, b) uwsgi.call('f') return a < b end)`],
    ['load', `return assert(load(function() uwsgi.call('f') return nil end))()`],
    ['xpcall', `local _, m = xpcall(uwsgi.call, function(m) return uwsgi.call('f') .. m end, 'f') return m`],
  ])('comes for a recursion through %s', async (_name, body) => {
    const outcome = await run(`uwsgi.keep('f', function() ${body} end) return uwsgi.call('f')`)
    expect(outcome).toMatch(/too deep|overflow|up$|error object is a table value/)
    await alive()
  })

  it('comes as Lua’s own overflow when the levels themselves use up its C calls', async () => {
    const statements = `
      local function nest(n) if n == 0 then return uwsgi.call('f') end return (('x'):gsub('x', function() return nest(n - 1) end)) end
      uwsgi.keep('f', function() return nest(20) end)
      uwsgi.call('f')`
    expect(await run(statements)).toMatch(/^false \| .*C stack overflow/)
    await alive()
  })

  it('comes at once for a call from where no C call is left', async () => {
    const statements = `
      uwsgi.keep('f', function() return 'reached' end)
      local outcomes = {}
      for depth = 1, 250 do
        local function nest(n)
          if n == 0 then return tostring(select(2, pcall(uwsgi.call, 'f'))) end
          return (('x'):gsub('x', function() return nest(n - 1) end))
        end
        local _, outcome = pcall(nest, depth)
        outcomes[outcome:match('reached') or outcome:match('overflow') or outcome] = true
      end
      local names = {} for name in pairs(outcomes) do names[#names + 1] = name end table.sort(names)
      return table.concat(names, ', ')`
    expect(await run(statements)).toBe('true | overflow, reached')
    await alive()
  })

  it('of memory inside of levels is an error, and the state lives on', async () => {
    harness = await boot(8 * 1024 * 1024)
    const statements = `
      uwsgi.keep('bomb', function() local t = {} for i = 1, math.huge do t[i] = ('x'):rep(100) .. i end end)
      uwsgi.keep('one', function() return uwsgi.call('bomb') end)
      local seen = {}
      for i = 1, 5 do seen[i] = tostring(select(2, pcall(uwsgi.call, 'one'))):match('not enough memory') end
      return table.concat(seen, ',')`
    const five = Array.from({ length: 5 }, () => 'not enough memory').join(',')
    expect(await run(statements)).toBe(`true | ${five}`)
    await alive()
    await run(`uwsgi.keep('keeps', function() kept = {} for i = 1, math.huge do kept[i] = ('x'):rep(100) .. i end end)`)
    expect(() => registry.call('keeps')).toThrow('the Lua interpreter failed: its memory is full and cannot be freed')
  })

  it('of memory that a level below holds is that level’s to mend', async () => {
    harness = await boot(8 * 1024 * 1024)
    const body = `
      local held = {}
      pcall(function() for i = 1, math.huge do held[i] = ('x'):rep(1000) .. i end end)
      local ok, message = pcall(uwsgi.call, 'needs')
      for i = 1, #held do held[i] = nil end collectgarbage()
      return (ok and 'ok ' or message:match('not enough memory')) .. uwsgi.call('needs')`
    // More than is left beside what is held. Freed memory is not joined across the steps in which it had grown (some 200 KB
    // here): what is needed is far less than one.
    await run(`uwsgi.keep('needs', function() return #('x'):rep(30000) end) uwsgi.keep('one', function() ${body} end)`)
    expect(await run(body)).toBe('true | not enough memory30000')
    expect(registry.callText('one')).toBe('not enough memory30000')
  })

  it('of arguments too large for the memory is an error too', async () => {
    harness = await boot(8 * 1024 * 1024)
    await run(
      `uwsgi.keep('f', function(s) return #s end) uwsgi.keep('one', function() return uwsgi.call('f', uwsgi.large(1)) end)`,
    )
    expect(() => registry.call('f', [new Uint8Array(9 * 1024 * 1024)])).toThrow('not enough memory')
    expect(() =>
      registry.call(
        'f',
        Array.from({ length: 200 }, () => new Uint8Array(60_000)),
      ),
    ).toThrow('not enough memory')
    expect(registry.callText('f', 'abc')).toBe('3')
    await alive()
  })
})

describe('a trap inside of levels', () => {
  it('ends the interpreter, also when something between has swallowed it', async () => {
    await run(`uwsgi.keep('traps', function() uwsgi.trap() end)`)
    const entered = evaluate(harness, `local r = pcall(uwsgi.swallow, 'traps') uwsgi.keep('after', function() end)`)
    await expect(entered).rejects.toMatchObject({ fatal: true, message: 'the Lua interpreter failed: unreachable' })
    expect(registry.functions.has('after')).toBe(false)
    expect(() => registry.call('traps')).toThrow('the Lua interpreter failed: unreachable')
    expect(harness.plugin.muleMsg?.(new Uint8Array(1))).toBe(false)
    registry.functions.get('traps')?.release()
    expect(() => harness.plugin.atexit?.()).not.toThrow()
  })
})
