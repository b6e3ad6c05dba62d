// The coroutine library in a worker with several cores: to a guest it is Lua's, and nothing of it reaches another core's wait.
import { beforeAll, describe, expect, it } from 'vitest'
import { AsyncLua } from './async-fixture.ts'
import { bootLua, evaluate } from './fixture.ts'

let lua: AsyncLua
beforeAll(async () => {
  lua = await AsyncLua.boot()
})

const run = (statements: string): Promise<string> => evaluate(lua.harness, statements)

describe('what guests see of coroutines', () => {
  // Answered alike by a worker with one core, which has Lua's own functions.
  it.each([
    `return coroutine.resume(1)`,
    `return coroutine.resume()`,
    `return coroutine.wrap(1)`,
    `return coroutine.wrap()`,
    `return coroutine.status({})`,
    `return coroutine.close('x')`,
    `return coroutine.resume(coroutine.running())`,
    `local co = coroutine.create(error) return coroutine.resume(co, 'm')`,
    `local co = coroutine.create(error) coroutine.resume(co, 'm') return coroutine.status(co), coroutine.close(co)`,
    `local w = coroutine.wrap(function() end) w() return w()`,
    `local w = coroutine.wrap(function() error('m') end) return w()`,
    `local w = coroutine.wrap(function() error({}) end) return type(select(2, pcall(w)))`,
    `local w w = coroutine.wrap(function() return w() end) return w()`,
    `local co co = coroutine.create(function() return coroutine.status(co), coroutine.resume(co) end) return coroutine.resume(co)`,
    `local co co = coroutine.create(function() return coroutine.close(co) end) return coroutine.resume(co)`,
    `local outer = coroutine.running() return coroutine.wrap(function() return coroutine.status(outer), pcall(coroutine.close, outer) end)()`,
    `local outer outer = coroutine.create(function() return coroutine.wrap(function() return coroutine.resume(outer) end)() end) return coroutine.resume(outer)`,
    `local closed local co = coroutine.create(function() local x <close> = setmetatable({}, { __close = function() closed = true end }) coroutine.yield() end)
     coroutine.resume(co) return coroutine.close(co), closed, coroutine.status(co)`,
    `local co = coroutine.create(function() local x <close> = setmetatable({}, { __close = function() error('in close', 0) end }) coroutine.yield() end)
     coroutine.resume(co) return coroutine.close(co)`,
    `local co = coroutine.create(function(...) return select('#', ...), coroutine.yield(...) end) return coroutine.resume(co, 1, nil, nil)`,
    `return coroutine.wrap(function(...) return ... end)(nil, 2, nil)`,
    `return coroutine.isyieldable(), coroutine.wrap(function() return coroutine.isyieldable(), select(2, coroutine.running()) end)()`,
    `local ok, m = pcall(function() return (('x'):gsub('x', coroutine.yield)) end) return ok, m`,
    `local t = {} for i = 1, 300 do t[i] = i end return select('#', coroutine.wrap(function(...) return ... end)(table.unpack(t)))`,
    `local function nest(n) if n == 0 then return 'bottom' end return coroutine.wrap(nest)(n - 1) end return nest(100), (pcall(nest, 1000))`,
    `local w = coroutine.wrap(function() return setmetatable({}, { __index = function() error('deep') end }).x end) return pcall(w)`,
    `return debug.traceback(coroutine.create(function() end), 'm')`,
  ])('is the same with several cores: %s', async (statements) => {
    const one = await bootLua()
    const expected = await evaluate(one, statements)
    expect(expected).not.toBe('')
    expect(await run(statements)).toBe(expected)
  })

  it('the library has the same members, and no global is added', async () => {
    const list = `local names = {} for _, t in ipairs({ _G, coroutine, package.loaded }) do for name, value in pairs(t) do
      if t ~= _G or name ~= 'uwsgi' then names[#names + 1] = tostring(name) .. type(value) end end end table.sort(names) return table.concat(names, ' ')`
    expect(await run(list)).toBe(await evaluate(await bootLua(), list))
  })
})

describe('a coroutine that waits for the host', () => {
  /** A core that waits in a coroutine, known as the global `held`; `wrapped` is a function whose coroutine waits. */
  const hold = async (name: string): Promise<{ mountpoint: string; done: Promise<string> }> => {
    const mountpoint = await lua.handler(`
      if env.QUERY_STRING ~= '' then return 200, {}, table.concat({ (load(env.HTTP_CODE)()) }, '') end
      core = coroutine.running()
      outer = coroutine.create(function()
        wrapped = coroutine.wrap(function()
          held = coroutine.running()
          return uwsgi.wait('${name}')
        end)
        return wrapped()
      end)
      local ok, answer = coroutine.resume(outer)
      return 200, {}, tostring(ok) .. ' ' .. tostring(answer)`)
    const done = lua.request({ mountpoint }).then(({ text }) => text)
    while (!lua.gates.has(name)) await new Promise((resolve) => setImmediate(resolve))
    return { mountpoint, done }
  }
  const inside = async (mountpoint: string, code: string): Promise<string> =>
    (await lua.request({ mountpoint, query: 'x', vars: { HTTP_CODE: code } })).text.replace(
      /\[[^\]]*\]:\d+: |\S*app\.lua:\d+: /g,
      '',
    )

  const all = `for _, co in ipairs({ core, outer, held }) do t[#t + 1] = `
  it.each([
    [
      'is normal, as one that has resumed another is',
      `local t = {} ${all} coroutine.status(co) end return table.concat(t, ' ')`,
      'normal normal normal',
    ],
    [
      'cannot be resumed',
      `local t = {} ${all} table.concat({ tostring((coroutine.resume(co, 'forged'))), (select(2, coroutine.resume(co, 'forged'))) }, ' ') end return table.concat(t, ', ')`,
      'false cannot resume non-suspended coroutine, false cannot resume non-suspended coroutine, false cannot resume non-suspended coroutine',
    ],
    [
      'cannot be called, where wrap made a function of it',
      `return select(2, pcall(wrapped, 'forged'))`,
      'cannot resume non-suspended coroutine',
    ],
    [
      'cannot be closed',
      `local t = {} ${all} select(2, pcall(coroutine.close, co)) end return table.concat(t, ', ')`,
      'cannot close a normal coroutine, cannot close a normal coroutine, cannot close a normal coroutine',
    ],
    ['has a traceback', `return tostring(debug.traceback(held):match('^stack traceback:') ~= nil)`, 'true'],
    ['is not the one that runs', `return tostring(coroutine.running() ~= core and coroutine.running() ~= held)`, 'true'],
    [
      'also when the one who tries does so from a coroutine and a callback',
      `return coroutine.wrap(function() local m = ('x'):gsub('x', function() return (select(2, coroutine.resume(held))) end) return m end)()`,
      'cannot resume non-suspended coroutine',
    ],
  ])('%s', async (_name, code, expected) => {
    const { mountpoint, done } = await hold('held')
    expect(await inside(mountpoint, code)).toBe(expected)
    // Nobody has disturbed it.
    await lua.open('held', 'its own')
    expect(await done).toBe('true its own')
    const ended = `return coroutine.status(outer) .. coroutine.status(held) .. tostring(coroutine.close(held))`
    expect(await inside(mountpoint, ended)).toBe('deaddeadtrue')
  })

  it('a core’s thread cannot be resumed between two chunks of its body either', async () => {
    const mountpoint = await lua.handler(`
      if env.QUERY_STRING ~= '' then return 200, {}, coroutine.status(core) .. tostring(select(2, coroutine.resume(core, 'x'))) end
      core = coroutine.running()
      local n = 0
      return 200, {}, function() n = n + 1 if n < 4 then return 'chunk' .. n end end`)
    const streaming = lua.request({ mountpoint })
    expect((await lua.request({ mountpoint, query: 'x' })).text).toBe('normalcannot resume non-suspended coroutine')
    expect((await streaming).text).toBe('chunk1chunk2chunk3')
  })

  it('a yield of a guest outside of coroutines is no wait: it ends the request', async () => {
    for (const values of ['', '1', `'forged', 2`]) {
      const mountpoint = await lua.handler(`coroutine.yield(${values})`)
      lua.harness.logLines.length = 0
      expect((await lua.request({ mountpoint })).status).toBe('500 Internal Server Error')
      expect(lua.harness.logLines[0]).toContain('attempt to yield from outside a coroutine')
    }
  })

  it('a yield of a guest in a coroutine reaches its own resume, whatever it yields', async () => {
    const mountpoint = await lua.handler(`
      local seen = {}
      local co = coroutine.create(function()
        seen[#seen + 1] = uwsgi.wait('y')
        seen[#seen + 1] = coroutine.yield(table.unpack(seen))
        coroutine.yield()
        seen[#seen + 1] = uwsgi.wait('y')
      end)
      local _, first = coroutine.resume(co)
      coroutine.resume(co, 'given')
      coroutine.resume(co, 'not this')
      return 200, {}, first .. ',' .. table.concat(seen, ',')`)
    const answer = lua.request({ mountpoint })
    await lua.open('y', 'one')
    await lua.open('y', 'two')
    expect((await answer).text).toBe('one,one,given,two')
  })
})
