// Loading apps: the forms an app may have, the world it lives in, and what is said when it cannot be loaded.
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { createLuaPlugin } from '../../../bindings/lua/index.ts'
import { AppLoadError } from '../../../host/errors.ts'
import type { PluginHarness } from '../../support/plugin-harness.ts'
import { bootLua, mountSource, writeFiles } from './fixture.ts'

let harness: PluginHarness
beforeAll(async () => {
  harness = await bootLua()
})

const text = async (source: string, callable?: string): Promise<string> =>
  (await harness.request({ mountpoint: await mountSource(harness, source, callable) })).text

const loadError = async (source: string | Uint8Array, callable?: string): Promise<AppLoadError> => {
  const file = join(writeFiles({ 'app.lua': source }), 'app.lua')
  try {
    await harness.mount(file, '/never', callable)
  } catch (error) {
    expect(error).toBeInstanceOf(AppLoadError)
    const loadFailure = error as AppLoadError
    expect(loadFailure.message).toContain(`cannot load the Lua app ${file}: `)
    Object.assign(loadFailure, { message: loadFailure.message.replaceAll(file, 'app.lua') })
    Object.assign(loadFailure, { details: loadFailure.details.replaceAll(file, 'app.lua') })
    return loadFailure
  }
  throw new Error('it was loaded')
}

describe('an app', () => {
  it.each([
    ['a function', `return function(env) return 200, {}, 'function' end`, 'function'],
    ['a table with run', `return { run = function(env) return 200, {}, 'table' end }`, 'table'],
    [
      'a table that inherits run',
      `return setmetatable({}, { __index = { run = function() return 200, {}, 'inherited' end } })`,
      'inherited',
    ],
    ['a global function run', `function run(env) return 200, {}, 'global' end`, 'global'],
    ['a global run beside a returned table', `function run(env) return 200, {}, 'beside' end return {}`, 'beside'],
  ])('may be %s', async (_form, source, answer) => {
    expect(await text(source)).toBe(answer)
  })

  it('may be named by the configuration', async () => {
    const answer = (name: string): string => `function(env) return 200, {}, '${name}' end`
    expect(await text(`return { run = ${answer('run')}, admin = ${answer('admin')} }`, 'admin')).toBe('admin')
    expect(await text(`admin = ${answer('global')} return ${answer('returned')}`, 'admin')).toBe('global')
  })

  it('may begin with a byte order mark or a #! line, and keeps its line numbers', async () => {
    const mark = Buffer.from('\ufeff#!/usr/bin/env lua\nerror("line two")')
    expect((await loadError(mark)).message).toContain('app.lua:2: line two')
    expect(await text('#!/usr/bin/lua\nreturn function() return 200, {}, "ok" end')).toBe('ok')
  })

  it('may have any name when the configuration names the plugin', async () => {
    const directory = writeFiles({
      'app.ws': `return function() return 200, {}, 'ws' end`,
      app: `return function() return 200, {}, 'bare' end`,
    })
    await harness.mount(join(directory, 'app.ws'), '/ws')
    expect((await harness.request({ mountpoint: '/ws' })).text).toBe('ws')
    await harness.mount(join(directory, 'app'), '/bare')
    expect((await harness.request({ mountpoint: '/bare' })).text).toBe('bare')
  })
})

describe('the world of an app', () => {
  it('keeps its globals from other apps, also through _G, rawset and load', async () => {
    const counter = (name: string): string => `count, name = 0, '${name}'
      function run(env)
        count = count + 1
        _G.total = (_G.total or 0) + 1
        load('loaded = (loaded or 0) + 1')()
        rawset(_G, 'raw', (raw or 0) + 1)
        return 200, {}, name .. count .. total .. loaded .. raw
      end`
    const first = await mountSource(harness, counter('first'))
    const second = await mountSource(harness, counter('second'))
    const answers = []
    for (const mountpoint of [first, first, second, first, second]) answers.push((await harness.request({ mountpoint })).text)
    expect(answers).toEqual(['first1111', 'first2222', 'second1111', 'first3333', 'second2222'])
  })

  it('is its own for the same file mounted twice', async () => {
    const file = join(writeFiles({ 'app.lua': 'n = 0 function run() n = n + 1 return 200, {}, tostring(n) end' }), 'app.lua')
    await harness.mount(file, '/twice1')
    await harness.mount(file, '/twice2')
    expect((await harness.request({ mountpoint: '/twice1' })).text).toBe('1')
    expect((await harness.request({ mountpoint: '/twice1' })).text).toBe('2')
    expect((await harness.request({ mountpoint: '/twice2' })).text).toBe('1')
  })

  it('lets a module guard its globals as strict.lua does', async () => {
    const source = `setmetatable(_G, { __index = function(_, name) error('undeclared ' .. name, 2) end })
      function run(env) return 200, {}, tostring(pcall(function() return undeclared_thing end)) .. type(ipairs) end`
    expect(await text(source)).toBe('falsefunction')
  })

  it('has no ... when the app is loaded', async () => {
    expect(await text(`local count = select('#', ...) return function() return 200, {}, tostring(count) end`)).toBe('0')
  })
})

describe('an app that cannot be loaded', () => {
  it('because there is no such file', async () => {
    await expect(harness.mount('/nonexistent/app.lua')).rejects.toThrow(
      'cannot load the Lua app /nonexistent/app.lua: no such file',
    )
  })

  it('because it is a directory', async () => {
    const directory = writeFiles({ 'app.lua/x': '' })
    await expect(harness.mount(join(directory, 'app.lua'))).rejects.toThrow(/cannot load the Lua app .*: EISDIR/)
  })

  it('because of its syntax', async () => {
    const error = await loadError('local x = 1\nlocal y = = 2\n')
    expect(error.message).toMatch(/app\.lua:2: unexpected symbol near '='$/)
    expect(error.details).toBe('')
  })

  it('because it is byte code', async () => {
    const error = await loadError(Buffer.from('\x1bLua\x54\x00', 'latin1'))
    expect(error.message).toContain("attempt to load a binary chunk (mode is 't')")
  })

  it('because it raises', async () => {
    const error = await loadError(`local function setup()\n  error('no database')\nend\nsetup()\n`)
    expect(error.message).toMatch(/app\.lua:2: no database$/)
    expect(error.details).toMatch(/^stack traceback:\n[\s\S]*app\.lua:2: in (local|upvalue) 'setup'\n\t.*app\.lua:4: in/)
    expect(error.details).not.toContain('(polywsgi)')
  })

  it('because it yields', async () => {
    expect((await loadError('coroutine.yield()')).message).toContain('attempt to yield from outside a coroutine')
  })

  it.each([
    [
      '',
      "the app must return a function or a table with a function 'run', or define a global function 'run': it returned nothing",
    ],
    ['return 5', ': it returned a number'],
    ['return {}', ': it returned a table'],
    ['return { run = 5 }', ': it returned a table'],
    ['run = {}', ': it returned nothing'],
  ])('because %j is no app', async (source, message) => {
    expect((await loadError(source)).message).toContain(message)
  })

  it('because the callable that was asked for is not there', async () => {
    expect((await loadError('return { run = function() end }', 'admin')).message).toContain(
      "no function 'admin' in what the app returned (a table) or among its globals",
    )
  })

  it('because it takes more memory than there is', async () => {
    const small = await bootLua({ memoryLimit: 4 * 1024 * 1024 })
    const file = join(writeFiles({ 'app.lua': `local t = {} for i = 1, math.huge do t[i] = i end` }), 'app.lua')
    await expect(small.mount(file, '/bomb')).rejects.toThrow('not enough memory')
    const fine = await mountSource(small, `return function() return 200, {}, 'fine' end`)
    expect((await small.request({ mountpoint: fine })).text).toBe('fine')
  })

  it('does not disturb those that are', async () => {
    const mountpoint = await mountSource(harness, `return function() return 200, {}, 'fine' end`)
    await loadError('error({})')
    await loadError('return 5')
    expect((await harness.request({ mountpoint })).text).toBe('fine')
  })
})

describe('the plugin', () => {
  it('compiles nothing when no app is written in Lua', async () => {
    const plugin = createLuaPlugin()
    const log = { text: () => {}, bytes: () => {} }
    await plugin.init!({ log, opt: new Map(), options: new Map(), workers: 1, isNeeded: false })
    expect(plugin.data).toBeUndefined()
  })

  it('boots all the same when an app turns up later', async () => {
    const { context } = await bootLua()
    const plugin = createLuaPlugin()
    const late = { ...context, data: undefined as never }
    await plugin.postFork!(late)
    const source = join(writeFiles({ 'app.lua': 'return function() end' }), 'app.lua')
    expect(await plugin.mountApp!({ mountpoint: '', source, callable: undefined }, late)).toBeDefined()
  })

  it('reports when it has booted', async () => {
    const plugin = createLuaPlugin()
    const booted: [string, number][] = []
    const { context } = await bootLua()
    await plugin.postFork!({ ...context, data: context.data as never, booted: (what, ms) => void booted.push([what, ms]) })
    expect(booted).toEqual([['lua', expect.any(Number)]])
  })

  it('crosses the fork: its data can be cloned to another thread', async () => {
    const { context, plugin } = await bootLua()
    const cloned = structuredClone(context.data)
    const worker = createLuaPlugin()
    await worker.postFork!({ ...context, data: cloned as never })
    expect(
      await worker.mountApp!(
        { mountpoint: '', source: join(writeFiles({ 'a.lua': 'return function() end' }), 'a.lua'), callable: undefined },
        context as never,
      ),
    ).toBeDefined()
    plugin.atexit?.()
  })
})
