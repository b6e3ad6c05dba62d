// Where Lua code may be when a function of the API waits: almost anywhere, and everywhere else it parks. Whatever the place,
// the answer arrives there, and an error is raised there.
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { AsyncLua, tick } from './async-fixture.ts'
import { writeFiles } from './fixture.ts'
import { bound, param } from './test-api.ts'

let lua: AsyncLua
const modules = writeFiles({
  'waits.lua': `local answer = uwsgi.wait('w') return { answer = answer, more = function() return uwsgi.wait('w') end }`,
  'outer.lua': `return require('waits').answer .. ' twice'`,
})
beforeAll(async () => {
  const large = bound('large', [param('size', 'int')], 'bytes', (size: number) => new Uint8Array(size).fill(0x61))
  lua = await AsyncLua.boot(8, { functions: [large], pythonPath: [modules] })
})
beforeEach(() => {
  lua.parked.length = 0
})

/** The handler's answer, `uwsgi.wait('w')` being let go on as often as it waits. */
const answerOf = async (statements: string, value?: string | Error): Promise<string> => {
  const mountpoint = await lua.handler(`local function body() ${statements} end
    local results = table.pack(pcall(body))
    for i = 1, results.n do results[i] = tostring(results[i]) end
    return 200, {}, table.concat(results, ' | ', 1, results.n)`)
  const answer = lua.request({ mountpoint })
  let isDone = false
  void answer.finally(() => {
    isDone = true
  })
  while (!isDone) {
    if (lua.gates.has('w')) await lua.open('w', value)
    await tick()
  }
  return (await answer).text
}

describe('a function that waits gets its answer', () => {
  it.each([
    ['the handler', `return uwsgi.wait('w')`, 'opened w'],
    [
      'a function of it, with arguments around',
      `local function f(a, b) return a .. uwsgi.wait('w') .. b end return f('<', '>')`,
      '<opened w>',
    ],
    ['a tail call', `local function f() return uwsgi.wait('w') end return f()`, 'opened w'],
    [
      'a loop',
      `local t = {} for i = 1, 3 do t[i] = uwsgi.wait('w') .. i end return table.concat(t, ',')`,
      'opened w1,opened w2,opened w3',
    ],
    ['coroutine.wrap', `return coroutine.wrap(function(a) return a .. uwsgi.wait('w') end)('a ')`, 'a opened w'],
    [
      'coroutine.resume',
      `local co = coroutine.create(function(a) local b = coroutine.yield(a .. uwsgi.wait('w')) return b .. uwsgi.wait('w') end)
       local _, first = coroutine.resume(co, '1 ') local _, second = coroutine.resume(co, '2 ')
       return first, second, coroutine.status(co), coroutine.resume(co)`,
      '1 opened w | 2 opened w | dead | false | cannot resume dead coroutine',
    ],
    [
      'three levels of coroutines, which go on yielding to each other',
      `local out = {}
       local one = coroutine.wrap(function()
         local two = coroutine.wrap(function()
           local three = coroutine.wrap(function()
             for i = 1, 2 do coroutine.yield('3:' .. i .. uwsgi.wait('w')) end
             return 'end'
           end)
           for i = 1, 3 do coroutine.yield('2' .. three()) end
         end)
         for i = 1, 3 do coroutine.yield('1' .. two()) end
       end)
       for i = 1, 3 do out[i] = one() end
       return table.concat(out, ',')`,
      '123:1opened w,123:2opened w,12end',
    ],
    ['pcall', `return pcall(function() return uwsgi.wait('w') end)`, 'true | opened w'],
    ['pcall itself', `return pcall(uwsgi.wait, 'w')`, 'true | opened w'],
    ['xpcall', `return xpcall(function(a) return a .. uwsgi.wait('w') end, debug.traceback, 'x ')`, 'true | x opened w'],
    ["xpcall's handler", `return xpcall(error, function(m) return m .. uwsgi.wait('w') end, 'oh ')`, 'false | oh opened w'],
    [
      'pcall in a coroutine in pcall',
      `return pcall(coroutine.wrap(function() return select(2, pcall(uwsgi.wait, 'w')) end))`,
      'true | opened w',
    ],
    ['__index', `return setmetatable({}, { __index = function(_, k) return k .. uwsgi.wait('w') end }).key`, 'keyopened w'],
    [
      '__newindex',
      `local t = setmetatable({}, { __newindex = function(t, k, v) rawset(t, k, v .. uwsgi.wait('w')) end }) t.x = 'v ' return t.x`,
      'v opened w',
    ],
    ['__call', `return setmetatable({}, { __call = function(_, a) return a .. uwsgi.wait('w') end })('c ')`, 'c opened w'],
    ['__concat', `return setmetatable({}, { __concat = function(_, b) return b .. uwsgi.wait('w') end }) .. 'b '`, 'b opened w'],
    ['__add', `return setmetatable({}, { __add = function(_, b) return b .. uwsgi.wait('w') end }) + 1`, '1opened w'],
    [
      '__eq',
      `local m = { __eq = function() return uwsgi.wait('w') == 'opened w' end } return setmetatable({}, m) == setmetatable({}, m)`,
      'true',
    ],
    [
      '__lt',
      `local m = { __lt = function() return uwsgi.wait('w') == 'opened w' end } return setmetatable({}, m) < setmetatable({}, m)`,
      'true',
    ],
    ['__len', `return #setmetatable({}, { __len = function() return #uwsgi.wait('w') end })`, '8'],
    [
      'an iterator of for',
      `local t = {} for i, v in function(_, i) i = i + 1 if i < 3 then return i, uwsgi.wait('w') end end, nil, 0 do t[i] = v end return t[1], t[2]`,
      'opened w | opened w',
    ],
    [
      'a coroutine as iterator',
      `local t = {} for v in coroutine.wrap(function() coroutine.yield(uwsgi.wait('w')) end) do t[#t + 1] = v end return #t, t[1]`,
      '1 | opened w',
    ],
    [
      'a variable that is closed at the end of its block',
      `local seen do local x <close> = setmetatable({}, { __close = function() seen = uwsgi.wait('w') end }) end return seen`,
      'opened w',
    ],
    [
      'a variable that is closed by a return, whose values are kept',
      `local seen local function f() local x <close> = setmetatable({}, { __close = function() seen = uwsgi.wait('w') end }) return 'kept', 2 end
       local a, b = f() return a, b, seen`,
      'kept | 2 | opened w',
    ],
    [
      'a variable that is closed by an error',
      `local seen local ok, m = pcall(function() local x <close> = setmetatable({}, { __close = function(_, e) seen = e .. uwsgi.wait('w') end }) error('up ', 0) end)
       return ok, m, seen`,
      'false | up  | up opened w',
    ],
    [
      'the closing value of for',
      `local seen for _ in next, { 1, 2 }, nil, setmetatable({}, { __close = function() seen = uwsgi.wait('w') end }) do break end return seen`,
      'opened w',
    ],
    ['a chunk', `return load("return uwsgi.wait('w')")()`, 'opened w'],
    [
      "load's reader",
      `local n = 0 return load(function() n = n + 1 if n == 1 then return 'return "' .. uwsgi.wait('w') .. '"' end end)()`,
      'opened w',
    ],
    ['a module that is being loaded', `return (require('outer'))`, 'opened w twice'],
    ['a function of a module', `return require('waits').more()`, 'opened w'],
    [
      'a module in a coroutine',
      `package.loaded.waits = nil return coroutine.wrap(function() return require('waits').answer end)()`,
      'opened w',
    ],
  ])('in %s', async (_name, statements, expected) => {
    // Each handler has a world of its own, modules included.
    expect(await answerOf(statements)).toBe(`true | ${expected}`)
    expect(lua.parked).toEqual([])
  })

  it('as one that need not wait does, without giving up its turn', async () => {
    const mountpoint = await lua.handler(`return 200, {}, uwsgi.quick() .. coroutine.wrap(uwsgi.quick)()`)
    expect((await lua.request({ mountpoint })).text).toBe('at onceat once')
  })

  it('however many coroutines are inside each other', async () => {
    const nest = 'local function nest(n) if n == 0 then return uwsgi.wait("w") end return (coroutine.wrap(nest)(n - 1)) end'
    // Lua itself ends at 200 C calls, of which a coroutine takes some.
    const deepest = Number(
      (
        await answerOf(`${nest.replace('uwsgi.wait("w")', '"bottom"')}
      local n = 0 while pcall(nest, n + 1) do n = n + 1 end return n`)
      ).replace('true | ', ''),
    )
    expect(deepest).toBeGreaterThan(40)
    expect(await answerOf(`${nest} return nest(${deepest}), nest(${deepest}), pcall(nest, ${deepest + 10})`)).toMatch(
      /^true \| opened w \| opened w \| false \| .*C stack overflow/,
    )
    expect(lua.parked).toEqual([])
  })

  it('of any size, and any bytes', async () => {
    const mountpoint = await lua.handler(`local s = uwsgi.wait('w') return 200, {}, #s .. s:sub(-1)`)
    const answer = lua.request({ mountpoint })
    await lua.open('w', 'é'.repeat(200_000))
    expect(Buffer.from((await answer).body).toString('latin1')).toBe('400000\xa9')
  })
})

describe('a function that would wait where Lua cannot be suspended parks', () => {
  it.each([
    [
      'a comparator',
      `local t = { 2, 1 } local seen table.sort(t, function(a, b) seen = uwsgi.wait('p') return a < b end) return seen`,
    ],
    ['a callback of gsub', `return (('x'):gsub('x', function() return uwsgi.wait('p') end))`],
    ['tostring', `return tostring(setmetatable({}, { __tostring = function() return uwsgi.wait('p') end }))`],
    ['string.format', `return ('%s'):format(setmetatable({}, { __tostring = function() return uwsgi.wait('p') end }))`],
    [
      'table.concat',
      `return table.concat(setmetatable({}, { __len = function() return 1 end, __index = function() return uwsgi.wait('p') end }))`,
    ],
    [
      'a coroutine in a comparator',
      `local t, seen = { 2, 1 }, nil table.sort(t, function(a, b) seen = coroutine.wrap(uwsgi.wait)('p') return a < b end) return seen`,
    ],
    [
      'two coroutines in a callback',
      `return (('x'):gsub('x', coroutine.wrap(function() return coroutine.wrap(function() return uwsgi.wait('p') end)() end)))`,
    ],
    [
      'a variable that coroutine.close closes',
      `local seen local co = coroutine.create(function() local x <close> = setmetatable({}, { __close = function() seen = uwsgi.wait('p') end }) coroutine.yield() end)
       coroutine.resume(co) coroutine.close(co) return seen`,
    ],
    ['an entry that somebody waits for', `uwsgi.keep('f', function() return uwsgi.wait('p') end) return uwsgi.call('f')`],
    [
      'a coroutine in such an entry',
      `uwsgi.keep('f', function() return coroutine.wrap(uwsgi.wait)('p') end) return uwsgi.call('f')`,
    ],
  ])('in %s', async (_name, statements) => {
    expect(await answerOf(statements)).toBe('true | parked p')
    expect(new Set(lua.parked)).toEqual(new Set(['p']))
  })

  it('and waits again afterwards, in the same coroutines', async () => {
    const statements = `
      local co = coroutine.wrap(function()
        while true do coroutine.yield(uwsgi.wait('w')) end
      end)
      local t, seen = { 2, 1 }, nil
      local first = co()
      table.sort(t, function(a, b) seen = co() return a < b end)
      return first, seen, co()`
    const mountpoint = await lua.handler(
      `${statements.replace('return first', 'local last = co() return 200, {}, first .. seen .. last --')}`,
    )
    const answer = lua.request({ mountpoint })
    await lua.open('w', 'a ')
    await lua.open('w', ' z')
    expect((await answer).text).toBe('a parked w z')
  })

  it('while an app is loaded', async () => {
    const mountpoint = await lua.handler(`return 200, {}, loaded`, `loaded = coroutine.wrap(uwsgi.wait)('l')`)
    expect((await lua.request({ mountpoint })).text).toBe('parked l')
  })
})

describe('an error after a wait', () => {
  const failure = new Error('it went wrong')

  it('is raised at the line of the call, as one without a wait is', async () => {
    const waits = await answerOf(`\n\nuwsgi.wait('w')`, failure)
    expect(waits).toMatch(/^false \| \S*app\.lua:4: it went wrong$/)
    const plain = await answerOf(`\n\nuwsgi.wait()`)
    expect(plain).toMatch(/^false \| \S*app\.lua:4: \S/)
  })

  it.each([
    ['pcall', `local ok, m = pcall(function() uwsgi.wait('w') end) return ok, m:match('[^:]*$')`, 'false |  it went wrong'],
    ['pcall of the function itself', `return pcall(uwsgi.wait, 'w')`, 'false | it went wrong'],
    [
      'coroutine.resume',
      `local ok, m = coroutine.resume(coroutine.create(function() uwsgi.wait('w') end)) return ok, m:match('[^:]*$')`,
      'false |  it went wrong',
    ],
    [
      'pcall around three coroutines, whose variables are closed',
      `local closed = 0
       local function nest(n)
         local x <close> = setmetatable({}, { __close = function() closed = closed + 1 end })
         if n == 0 then return uwsgi.wait('w') end
         return (coroutine.wrap(function() return (nest(n - 1)) end)())
       end
       local ok, m = pcall(nest, 3) return ok, m:match('[^:]*$'), closed`,
      'false |  it went wrong | 4',
    ],
    [
      'xpcall, with the traceback of the place',
      `local ok, m = xpcall(function() uwsgi.wait('w') end, debug.traceback) return ok, m:match('it went wrong\\nstack traceback:\\n.*') ~= nil`,
      'false | true',
    ],
  ])('is caught by %s', async (_name, statements, expected) => {
    expect(await answerOf(statements, failure)).toBe(`true | ${expected}`)
  })

  it('that nobody catches is logged with its traceback, and answered 500', async () => {
    const mountpoint = await lua.handler(`\n coroutine.wrap(function() uwsgi.wait('w') end)()`)
    lua.harness.logLines.length = 0
    const answer = lua.request({ mountpoint })
    await lua.open('w', failure)
    expect(await answer).toMatchObject({ status: '500 Internal Server Error', result: -1 })
    expect(lua.harness.logLines[0]).toMatch(/^lua app \S+app\.lua: \S*app\.lua:\d: \S*app\.lua:3: it went wrong$/)
    expect(lua.harness.logLines[1]).toBe('stack traceback:')
    expect(lua.harness.logLines.at(-1)).toMatch(/^\t\S*app\.lua:3: in upvalue 'run'$/)
  })

  it('leaves the core ready for the next request', async () => {
    const mountpoint = await lua.handler(`if env.QUERY_STRING == 'x' then uwsgi.wait('w') end return 200, {}, 'fine'`)
    for (let round = 0; round < 20; round += 1) {
      const answer = lua.request({ mountpoint, query: 'x' })
      await lua.open('w', failure)
      expect((await answer).result).toBe(-1)
      expect((await lua.request({ mountpoint })).text).toBe('fine')
    }
  })
})
