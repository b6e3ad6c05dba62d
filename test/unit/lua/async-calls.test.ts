// Code that runs beside requests where a worker has several cores: functions called by RPC, handlers of signals, and modules
// that several requests want at once.
import { beforeEach, describe, expect, it } from 'vitest'
import { AsyncLua, tick } from './async-fixture.ts'
import { evaluate, writeFiles } from './fixture.ts'

const modules = writeFiles({
  'slow.lua': `loads = (loads or 0) + 1 uwsgi.note('slow') local answer = uwsgi.wait('slow') return { answer = answer, loads = loads }`,
  'failing.lua': `uwsgi.wait('failing') error('no module')`,
  'a.lua': `uwsgi.wait('a') return 'a' .. require('b')`,
  'b.lua': `uwsgi.wait('b') return 'b' .. require('a')`,
  'self.lua': `uwsgi.turn() return require('self')`,
})

let lua: AsyncLua
beforeEach(async () => {
  lua = await AsyncLua.boot(8, { pythonPath: [modules] })
})

const define = (statements: string): Promise<string> => evaluate(lua.harness, statements)
const text = async (answer: unknown): Promise<string | undefined> => {
  const bytes = (await answer) as Uint8Array | undefined
  return bytes === undefined ? undefined : Buffer.from(bytes).toString()
}

describe('a function called by RPC', () => {
  it('answers at once when it need not wait', async () => {
    await define(`uwsgi.keep('f', function(s) return s .. uwsgi.quick() end)`)
    const answer = lua.run('f', [Buffer.from('x ')])
    expect(answer).not.toBeInstanceOf(Promise)
    expect(await text(answer)).toBe('x at once')
  })

  it('waits when its caller takes a promise, and parks when not', async () => {
    await define(`uwsgi.keep('f', function(s) return s .. coroutine.wrap(uwsgi.wait)('f') .. s end)`)
    const answer = lua.run('f', [Buffer.from('|')])
    expect(answer).toBeInstanceOf(Promise)
    expect(lua.registry.callText('f', '!')).toBe('!parked f!')
    await lua.open('f')
    expect(await text(answer)).toBe('|opened f|')
  })

  it('may be waiting a thousand times at once', async () => {
    await define(`uwsgi.keep('f', function(id) local a = uwsgi.wait('1.' .. id) return id .. a .. uwsgi.wait('2.' .. id) end)`)
    const answers = Array.from({ length: 1000 }, (_, id) => lua.run('f', [Buffer.from(String(id))]))
    const ids = Array.from({ length: 1000 }, (_, id) => id)
    for (const id of ids.toReversed()) lua.gates.get(`1.${id}`)?.resolve(`<${id}>`)
    await tick()
    for (const id of ids.filter((_, index) => index % 2 === 0)) lua.gates.get(`2.${id}`)?.resolve(`[${id}]`)
    await tick()
    for (const id of ids) lua.gates.get(`2.${id}`)?.resolve(`[${id}]`)
    expect(await Promise.all(answers.map(text))).toEqual(ids.map((id) => `${id}<${id}>[${id}]`))
    expect(lua.parked).toEqual([])
    // As deep as before, afterwards.
    const nested = `uwsgi.keep('deep', function(n) if n == '0' then return 'bottom' end return uwsgi.call('deep', tostring(n - 1):match('%d+')) end) return uwsgi.call('deep', '39')`
    expect(await define(nested)).toBe('true | bottom')
  })

  it('fails with what it raised after a wait, or for what it returned', async () => {
    await define(`
      uwsgi.keep('raises', function() uwsgi.turn() error('after a wait', 0) end)
      uwsgi.keep('yields', function() uwsgi.turn() coroutine.yield() end)
      uwsgi.keep('returns', function() uwsgi.turn() return {} end)
      uwsgi.keep('nothing', function() uwsgi.turn() end)
      uwsgi.keep('number', function() uwsgi.turn() return 42 end)`)
    await expect(lua.run('raises')).rejects.toMatchObject({ language: 'lua', message: 'after a wait' })
    await expect(lua.run('yields')).rejects.toThrow('attempt to yield from outside a coroutine')
    await expect(lua.run('returns')).rejects.toThrow('the function returned a table, not a string or a number')
    expect(await lua.run('nothing')).toBeUndefined()
    expect(await text(lua.run('number'))).toBe('42')
  })

  it('that a request calls suspends the request, and acts on it', async () => {
    await define(`
      uwsgi.keep('inner', function() local before = uwsgi.current() return before .. uwsgi.wait('i') .. uwsgi.current() end)
      uwsgi.keep('outer', function() return '(' .. uwsgi.call_later('inner') .. ')' end)`)
    lua.requests.length = 0
    const mountpoint = await lua.handler(`return 200, {}, uwsgi.current() .. uwsgi.call_later('outer') .. uwsgi.current()`)
    const answer = lua.request({ mountpoint })
    const other = await lua.handler(`return 200, {}, 'meanwhile'`)
    expect((await lua.request({ mountpoint: other })).text).toBe('meanwhile')
    await lua.open('i', ' waited ')
    expect((await answer).text).toBe('0(0 waited 0)0')
    expect(lua.parked).toEqual([])
  })

  it('ends its line of the log when it ends, not where it waits', async () => {
    const mountpoint = await lua.handler(
      `kept = env.error return 200, {}, ''`,
      `uwsgi.keep('writes', function() kept:write('one ') uwsgi.wait('line') kept:write('line') end)`,
    )
    await lua.request({ mountpoint })
    lua.harness.logLines.length = 0
    const answer = lua.run('writes')
    lua.registry.callText('writes')
    expect(lua.harness.logLines).toEqual(['one line'])
    await lua.open('line')
    await answer
    expect(lua.harness.logLines).toEqual(['one line', 'one line'])
  })
})

describe('the handler of a signal', () => {
  const signal = (signum: number): unknown => {
    const kept = lua.registry.functions.get('handler')
    return kept?.owner.signalHandler?.(signum, kept.handler)
  }

  it('may wait', async () => {
    await define(`uwsgi.keep('handler', function(n) uwsgi.note('begun ' .. n) uwsgi.note(uwsgi.wait('s') .. n) end)`)
    const first = signal(7)
    const second = signal(8)
    expect(lua.notes).toEqual(['begun 7', 'begun 8'])
    await lua.open('s', 'second ')
    expect(await second).toBe(true)
    expect(lua.notes).toEqual(['begun 7', 'begun 8', 'second 8'])
    expect(first).toBeInstanceOf(Promise)
  })

  it('that runs in the middle of a call of a guest parks', async () => {
    await define(`uwsgi.keep('handler', function(n) uwsgi.note(uwsgi.wait('s')) end)`)
    const rpc = (): undefined => {
      expect(signal(1)).toBe(true)
      return undefined
    }
    lua.registry.functions.set('signals', { owner: { name: 'test', rpc } } as never)
    expect(await evaluate(lua.harness, `return uwsgi.call('signals')`)).toBe('true | nil')
    expect(lua.notes).toEqual(['parked s'])
  })
})

describe('a module that another request is loading', () => {
  const requiring = (name: string): Promise<string> =>
    lua.handler(
      `local ok, m = pcall(require, '${name}') return 200, {}, type(m) == 'table' and m.answer .. m.loads or tostring(m)`,
    )

  it('is waited for, and loaded once', async () => {
    const mountpoint = await requiring('slow')
    const answers = [1, 2, 3].map(() => lua.request({ mountpoint }))
    await tick()
    expect(lua.notes).toEqual(['slow'])
    await lua.open('slow', 'loaded')
    expect((await Promise.all(answers)).map((answer) => answer.text)).toEqual(['loaded1', 'loaded1', 'loaded1'])
    expect(lua.notes).toEqual(['slow'])
  })

  it('is tried anew by the next one when it could not be loaded', async () => {
    const mountpoint = await requiring('failing')
    const answers = [1, 2].map(() => lua.request({ mountpoint }))
    await lua.open('failing')
    await lua.open('failing')
    for (const answer of answers) expect((await answer).text).toMatch(/failing\.lua:1: no module$/)
  })

  it('is loaded anew when that request was ended in the middle of it', async () => {
    const mountpoint = await lua.handler(
      `
      if env.QUERY_STRING == '' then return 200, {}, tostring(require('stuck')) end
      return 200, {}, require('stuck')`,
      `package.preload.stuck = function()
        while not free do pcall(uwsgi.wait, 'stuck') end
        return 'free'
      end`,
    )
    const stuck = lua.request({ mountpoint })
    while (!lua.gates.has('stuck')) await tick()
    const waiting = lua.request({ mountpoint, query: 'x' })
    await tick()
    lua.gates.clear()
    lua.requests[0]?.onCancel?.(new Error('over') as never)
    expect((await stuck).result).toBe(-1)
    // The one that waited loads it now.
    while (!lua.gates.has('stuck')) await tick()
    const other = await lua.handler(`return 200, {}, ''`)
    await lua.request({ mountpoint: other })
    lua.requests[1]?.onCancel?.(new Error('over') as never)
    expect((await waiting).result).toBe(-1)
  })

  it('is a loop when it waits for itself, alone or with others', async () => {
    const self = await lua.request({ mountpoint: await requiring('self') })
    expect(self.text).toMatch(/loop or previous error loading module 'self'$/)
    const mountpoint = await lua.handler(`local ok, m = pcall(require, env.QUERY_STRING) return 200, {}, tostring(m)`)
    const a = lua.request({ mountpoint, query: 'a' })
    const b = lua.request({ mountpoint, query: 'b' })
    await lua.open('a')
    await lua.open('b')
    expect((await b).text).toMatch(/b\.lua:1: loop or previous error loading module 'a'$/)
    // The other one, which had waited for it, tries by itself.
    await lua.open('b')
    expect((await a).text).toMatch(/b\.lua:1: loop or previous error loading module 'a'$/)
  })

  it('cannot be waited for where nothing can wait', async () => {
    const mountpoint = await lua.handler(`
      if env.QUERY_STRING == '' then return 200, {}, require('slow').answer end
      return 200, {}, (('x'):gsub('x', function() return (select(2, pcall(require, 'slow')):match("module '.*")) end))`)
    const first = lua.request({ mountpoint })
    await tick()
    const second = await lua.request({ mountpoint, query: 'x' })
    expect(second.text).toBe("module 'slow': another request is loading it, which cannot be waited for here")
    await lua.open('slow', 'fine')
    expect((await first).text).toBe('fine')
  })
})
