// Functions that a guest hands to the host: kept as long as the host wants them, called with what it says, errors named.
import { beforeEach, describe, expect, it } from 'vitest'
import { compileLua, registryIndex } from '../../../bindings/lua/glue.ts'
import { LuaWorker } from '../../../bindings/lua/worker.ts'
import { GuestFunction } from '../../../host/api/guest-function.ts'
import { GuestError } from '../../../host/errors.ts'
import { PluginHarness } from '../../support/plugin-harness.ts'
import { bootLua, evaluate, mountSource, writeFiles } from './fixture.ts'
import { bound, param, pluginWith, Registry, received } from './test-api.ts'

let registry: Registry
let harness: PluginHarness
beforeEach(async () => {
  registry = new Registry()
  harness = await PluginHarness.boot(pluginWith({ functions: registry.entries }))
})

const run = (statements: string): Promise<string> => evaluate(harness, statements)

const failureOf = (act: () => unknown): GuestError => {
  try {
    act()
  } catch (error) {
    if (error instanceof GuestError) return error
  }
  throw new Error('no GuestError was thrown')
}

describe('a function handed over', () => {
  it('is called with strings of any bytes, and answers bytes', async () => {
    await run(`uwsgi.keep('reverse', function(...) return select('#', ...) .. table.concat({ ... }):reverse() end)`)
    const all = Uint8Array.from({ length: 256 }, (_, index) => index)
    const answer = registry.call('reverse', [all, new Uint8Array(0)])
    expect(Buffer.from(answer!).toString('latin1')).toBe(`2${Buffer.from(all.toReversed()).toString('latin1')}`)
    const long = new Uint8Array(300_000).fill(0xfe)
    expect(registry.call('reverse', [long])).toHaveLength(300_001)
    expect(registry.callText('reverse')).toBe('0')
    const many = Array.from({ length: 255 }, () => new Uint8Array([0x61]))
    expect(Buffer.from(registry.call('reverse', many)!).toString()).toBe(`255${'a'.repeat(255)}`)
  })

  it('is the owner’s business: the plugin’s, by its own handle', async () => {
    await run(`uwsgi.keep('f', print)`)
    const kept = registry.functions.get('f')
    expect(kept).toBeInstanceOf(GuestFunction)
    expect(kept?.owner.name).toBe('lua')
    expect(kept?.owner.modifier1).toBe(6)
  })

  it.each([
    ['42', '42'],
    ['1 << 62', '4611686018427387904'],
    ['1.5', '1.5'],
    ['3.0', '3.0'],
    ["''", ''],
    ['nil', undefined],
    ["'one', 'two'", 'one'],
  ])('that returns %s answers its text', async (expression, expected) => {
    await run(`uwsgi.keep('f', function() return ${expression} end)`)
    expect(registry.callText('f')).toBe(expected)
  })

  it('that returns nothing at all answers nothing', async () => {
    await run(`uwsgi.keep('f', function() end)`)
    expect(registry.call('f')).toBeUndefined()
  })

  it.each([
    ['true', 'a boolean'],
    ['{}', 'a table'],
    ['print', 'a function'],
    ['coroutine.create(print)', 'a thread'],
  ])('that returns %s has failed', async (expression, what) => {
    await run(`uwsgi.keep('f', function() return ${expression} end)`)
    const failure = failureOf(() => registry.call('f'))
    expect(failure.message).toBe(`the function returned ${what}, not a string or a number`)
  })

  it('may be anything that can be called', async () => {
    await run(`uwsgi.keep('f', setmetatable({ n = 5 }, { __call = function(self, a) return self.n .. a end }))`)
    expect(registry.callText('f', 'x')).toBe('5x')
    await run(`uwsgi.keep('g', string.upper)`)
    expect(registry.callText('g', 'x')).toBe('X')
  })

  it.each([
    ['{}', 'a table'],
    ['setmetatable({}, { __index = print })', 'a table'],
    ["'print'", 'a string'],
    ['42', 'a number'],
    ['true', 'a boolean'],
    ['coroutine.create(print)', 'a thread'],
  ])('cannot be %s', async (expression, what) => {
    expect(await run(`uwsgi.keep('f', ${expression})`)).toBe(
      `false | app.lua:2: uwsgi.keep(): argument 'handler' must be a function, not ${what}`,
    )
    expect(await run(`uwsgi.keep('f')`)).toBe("false | app.lua:2: uwsgi.keep(): missing argument 'handler'")
  })

  it('that raises is a GuestError with the place and the traceback', async () => {
    await run(`local function inner() error('no\\xff') end\nuwsgi.keep('f', function() inner() end)`)
    const failure = failureOf(() => registry.call('f'))
    expect(failure.language).toBe('lua')
    expect(failure.message).toMatch(/app\.lua:2: no\ufffd$/)
    expect(failure.traceback).toMatch(/^stack traceback:\n/)
    expect(failure.traceback).toMatch(/app\.lua:2: in upvalue 'inner'/)
    expect(failure.traceback).toMatch(/app\.lua:3: in local 'handler'$/)
    expect(failure.traceback).not.toContain('polywsgi')
  })
})

describe('the handler of a signal', () => {
  it('is called with the number', async () => {
    await run(`seen = {} uwsgi.keep('f', function(...) seen = { ... } end) uwsgi.keep('seen', function()
      return #seen .. math.type(seen[1]) .. seen[1] end)`)
    const kept = registry.functions.get('f')!
    expect(harness.plugin.signalHandler?.(17, kept.handler)).toBe(true)
    expect(registry.callText('seen')).toBe('1integer17')
  })

  it('that raises is a GuestError; what it returns is nobody’s business', async () => {
    await run(`uwsgi.keep('f', function(n) if n == 1 then return {} end error('signal ' .. n) end)`)
    const { handler } = registry.functions.get('f')!
    expect(harness.plugin.signalHandler?.(1, handler)).toBe(true)
    expect(failureOf(() => harness.plugin.signalHandler?.(2, handler)).message).toMatch(/signal 2$/)
  })

  it('runs where the request’s env.error has not ended its line', async () => {
    const mountpoint = await mountSource(
      harness,
      `return function(env)
        uwsgi.keep('f', function() env.error:write('from the handler') end)
        return 200, {}, 'kept'
      end`,
    )
    await harness.request({ mountpoint })
    harness.logLines.length = 0
    registry.call('f')
    expect(harness.logLines).toEqual(['from the handler'])
  })
})

describe('a coroutine', () => {
  it('is the caller’s: callbacks run beside it', async () => {
    const statements = `
      uwsgi.keep('f', function(s) return s .. tostring(coroutine.isyieldable()) end)
      local co = coroutine.wrap(function(a)
        local b = coroutine.yield(uwsgi.call('f', a))
        return uwsgi.call('f', b)
      end)
      return co('a'), co('b')`
    expect(await run(statements)).toMatch(/^true \| a\w+ \| b\w+$/)
  })

  it('cannot be left out of a callback: yielding is an error there', async () => {
    const statements = `
      uwsgi.keep('f', function() coroutine.yield('out') return 'never' end)
      local co = coroutine.create(function() return pcall(uwsgi.call, 'f') end)
      local ok, called, message = coroutine.resume(co)
      return ok, called, message, coroutine.status(co)`
    expect(await run(statements)).toBe('true | true | false | attempt to yield from outside a coroutine | dead')
    expect(failureOf(() => registry.call('f')).message).toBe('attempt to yield from outside a coroutine')
    await run(`uwsgi.keep('g', function() return 'works' end)`)
    expect(registry.callText('g')).toBe('works')
  })

  it('of the callback’s own is its own business', async () => {
    const statements = `
      uwsgi.keep('f', function(s)
        local parts = {}
        for part in coroutine.wrap(function() for c in s:gmatch('.') do coroutine.yield(c) end end) do parts[#parts + 1] = part end
        return table.concat(parts, '-')
      end)
      return uwsgi.call('f', 'abc')`
    expect(await run(statements)).toBe('true | a-b-c')
  })

  it('that ended does not take its callbacks with it', async () => {
    await run(`local co = coroutine.wrap(function() local x = 'kept' uwsgi.keep('f', function() return x end) end) co() co = nil
      collectgarbage() collectgarbage()`)
    expect(registry.callText('f')).toBe('kept')
  })
})

describe('what the host keeps', () => {
  it('is not kept when the call failed', async () => {
    const quota = { calls: 0 }
    const refusing = await PluginHarness.boot(
      pluginWith({
        functions: [
          bound('refuse', [param('handler', 'function'), param('number', 'int', { max: 9 })], 'none', () => {
            quota.calls += 1
            throw new Error('the table is full')
          }),
        ],
      }),
    )
    const left = await evaluate(
      refusing,
      `weak = setmetatable({}, { __mode = 'k' })
      local function fresh() local t = {} local f = function() return t end weak[f] = true return f end
      for i = 1, 100 do pcall(uwsgi.refuse, fresh(), 1) pcall(uwsgi.refuse, fresh(), 10) pcall(uwsgi.refuse, fresh(), {}) end
      collectgarbage() collectgarbage()
      local n = 0 for _ in pairs(weak) do n = n + 1 end
      return n`,
    )
    expect(left).toBe('true | 0')
    expect(quota.calls).toBe(100)
  })

  it('may be given back twice, and is not called after that', async () => {
    await run(`uwsgi.keep('f', function() return 'f' end)`)
    const kept = registry.functions.get('f')!
    kept.release()
    await run(`uwsgi.keep('g', function() return 'g' end)`)
    kept.release()
    await run(`uwsgi.keep('h', function() return 'h' end)`)
    expect([registry.callText('g'), registry.callText('h')]).toEqual(['g', 'h'])
    expect(failureOf(() => registry.call('f')).message).toBe('the function was released')
    expect(() => harness.plugin.rpc?.({}, [])).toThrow('not a function of this interpreter')
    const other = await PluginHarness.boot(pluginWith({ functions: new Registry().entries }))
    expect(() => other.plugin.rpc?.(registry.functions.get('g')?.handler, [])).toThrow('not a function of this interpreter')
  })

  it('ten thousand times replaced leaves nothing behind', async () => {
    const { context } = await bootLua()
    const own = new Registry()
    const plugin = pluginWith({})
    const worker = new LuaWorker(
      await compileLua(),
      { ...context, data: context.data as never, api: { functions: own.entries, attributes: [], hooks: [] } },
      { name: 'lua', releaseFunction: (handler) => plugin.releaseFunction?.(handler) },
    )
    const program = `${writeFiles({
      'churn.lua': `
        for i = 1, 10000 do
          local payload = ('x'):rep(100) .. i
          uwsgi.keep('f' .. i % 7, function() return payload end)
          pcall(uwsgi.keep, 'f', 'not a function')
        end
        collectgarbage() collectgarbage()
        count = collectgarbage('count')
        uwsgi.keep('count', function() return count end)`,
    })}/churn.lua`
    const lua = worker.runtime.lua as unknown as { lua_rawlen(L: number, index: number): number; memory: { buffer: ArrayBuffer } }
    const measure = (): { kib: number; registry: number; heap: number } => {
      received.length = 0
      worker.runProgram(program)
      const count = own.functions.get('count')!
      const kib = Number(worker.callGuest((hooks) => Buffer.from(hooks.rpc(count.handler, [], false) as Uint8Array).toString()))
      return { kib, registry: lua.lua_rawlen(worker.runtime.main, registryIndex), heap: lua.memory.buffer.byteLength }
    }
    measure()
    const before = measure()
    const after = measure()
    expect(before.kib).toBeGreaterThan(10)
    expect(after.kib - before.kib).toBeLessThan(4)
    expect(after.registry).toBe(before.registry)
    expect(after.heap).toBe(before.heap)
  })
})
