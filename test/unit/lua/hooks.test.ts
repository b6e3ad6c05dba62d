// Functions that a guest assigns to members of `uwsgi`, and files that a mule runs as its program.
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { createLuaPlugin } from '../../../bindings/lua/index.ts'
import { AppLoadError, GuestError } from '../../../host/errors.ts'
import type { WsgiRequest } from '../../../host/request/wsgi-request.ts'
import type { PluginHarness } from '../../support/plugin-harness.ts'
import { bootLua, evaluate, mountSource, writeFiles } from './fixture.ts'

let harness: PluginHarness
beforeEach(async () => {
  harness = await bootLua()
})

const run = (statements: string): Promise<string> => evaluate(harness, statements)
const lines = (): string[] => harness.logLines.splice(0)

describe('a hook', () => {
  it('is nothing until a guest assigns it, and nothing again after that', async () => {
    expect(await run(`return uwsgi.post_fork_hook, uwsgi.spooler, uwsgi.atexit, uwsgi.mule_msg_hook, uwsgi.after_req_hook`)).toBe(
      'true | nil | nil | nil | nil | nil',
    )
    await harness.plugin.fixup?.(harness.context)
    expect(lines()).toEqual([])
    await run(`uwsgi.post_fork_hook = function(...) print('forked', select('#', ...)) end`)
    await harness.plugin.fixup?.(harness.context)
    expect(lines()).toEqual(['forked\t0'])
    await run(`uwsgi.post_fork_hook = nil`)
    await harness.plugin.fixup?.(harness.context)
    await run(`uwsgi.post_fork_hook = false`)
    await harness.plugin.fixup?.(harness.context)
    expect(lines()).toEqual([])
  })

  it('is looked up without metamethods, may be anything that can be called, and raises otherwise', async () => {
    await run(`setmetatable(uwsgi, { __index = function() error('asked') end })`)
    await harness.plugin.fixup?.(harness.context)
    await run(`uwsgi.post_fork_hook = setmetatable({}, { __call = function() print('called') end })`)
    await harness.plugin.fixup?.(harness.context)
    expect(lines()).toEqual(['called'])
    await run(`uwsgi.post_fork_hook = 'a name'`)
    await expect(async () => harness.plugin.fixup?.(harness.context)).rejects.toThrow('attempt to call a string value')
  })

  it('of the app that assigned last is the one: the table is shared', async () => {
    await mountSource(harness, `uwsgi.post_fork_hook = function() print('first') end return function() end`)
    await mountSource(harness, `uwsgi.post_fork_hook = function() print('second') end return function() end`)
    await harness.plugin.fixup?.(harness.context)
    expect(lines()).toEqual(['second'])
  })

  it('that raises is a GuestError with its traceback', async () => {
    await run(`uwsgi.post_fork_hook = function() error('not today') end`)
    const failure = await (async () => harness.plugin.fixup?.(harness.context))().catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(GuestError)
    expect((failure as GuestError).message).toMatch(/app\.lua:2: not today$/)
    expect((failure as GuestError).traceback).toMatch(/app\.lua:2: in local 'handler'$/)
    expect(harness.plugin.exceptionLog?.(failure)).toBe(failure)
  })
})

describe('after_req_hook', () => {
  it('runs after each request, when the response has gone', async () => {
    const mountpoint = await mountSource(
      harness,
      `local served = 0
      uwsgi.after_req_hook = function() served = served + 1 print('after', served, pcall(env.input.read, env.input)) end
      return function(e) env = e print('serving') return 200, {}, 'x' end`,
    )
    await harness.request({ mountpoint })
    await harness.request({ mountpoint })
    const [serving, after, again, last] = lines()
    expect([serving, again]).toEqual(['serving', 'serving'])
    expect(after).toMatch(/^after\t1\tfalse\t.*no request is being served$/)
    expect(last).toMatch(/^after\t2\t/)
  })
})

describe('atexit', () => {
  it('runs at the end, once, with everything still there', async () => {
    await run(`uwsgi.atexit = function() print('bye from ' .. uwsgi.worker_id()) end`)
    harness.plugin.atexit?.()
    harness.plugin.atexit?.()
    expect(lines()).toEqual(['bye from 1'])
  })

  it('that raises ends the plugin all the same', async () => {
    await run(`uwsgi.atexit = function() error('stuck') end`)
    expect(() => harness.plugin.atexit?.()).toThrow(/stuck$/)
    expect(() => harness.plugin.atexit?.()).not.toThrow()
  })
})

describe('mule_msg_hook', () => {
  it('gets the bytes of a message, which is handled then', async () => {
    const message = new Uint8Array([0, 0xff, 0x61])
    expect(await harness.plugin.muleMsg?.(message)).toBe(false)
    await run(String.raw`uwsgi.mule_msg_hook = function(m, more) print(m == '\0\xffa', more) end`)
    expect(await harness.plugin.muleMsg?.(message)).toBe(true)
    expect(lines()).toEqual(['true\tnil'])
    await run(`uwsgi.mule_msg_hook = function(m) error('bad message') end`)
    expect(() => harness.plugin.muleMsg?.(message)).toThrow(/bad message$/)
  })
})

describe('spooler', () => {
  const vars = new Map<string, Uint8Array>([
    ['k\xff', new Uint8Array([0, 0xfe])],
    ['spooler_task_name', new Uint8Array([0x78])],
  ])
  const spool = (body = new Uint8Array(0)): unknown => harness.plugin.spooler?.('/spöol/uwsgi_1', vars, body)

  it('gets the job as a table of strings', async () => {
    expect(spool()).toBe(0)
    await run(String.raw`uwsgi.spooler = function(env)
      local n = 0 for k, v in pairs(env) do n = n + 1 assert(type(k) == 'string' and type(v) == 'string') end
      print(n, env.spooler_task_name, env['k\xff'] == '\0\xfe', env.body and #env.body)
      return -2
    end`)
    expect(spool()).toBe(-2)
    expect(spool(new Uint8Array(100_000))).toBe(-2)
    expect(lines()).toEqual(['2\t/spöol/uwsgi_1\ttrue\tnil', '3\t/spöol/uwsgi_1\ttrue\t100000'])
  })

  it.each([
    ['-2', -2],
    ['-1', -1],
    ['0', 0],
    ['7', 7],
    ['-2.0', -2],
    ['nil', -1],
    ['', -1],
    ['true', -1],
    ["'-2'", -1],
    ['{}', -1],
    ['1.5', -1],
    ['1/0', -1],
  ])('that returns %s answers %i', async (expression, expected) => {
    await run(`uwsgi.spooler = function() return ${expression} end`)
    expect(spool()).toBe(expected)
  })

  it('that raises throws, which keeps the job', async () => {
    await run(`uwsgi.spooler = function(env) error('cannot ' .. env.spooler_task_name) end`)
    expect(() => spool()).toThrow(GuestError)
  })
})

describe('the program of a mule', () => {
  it('is a Lua file, run to its end in a world of its own, with its modules beside it', async () => {
    const directory = writeFiles({
      'mule.lua': `#!/usr/bin/lua\nlocal m = require 'helper' print(m.name, ..., uwsgi.version) global = 1`,
      'helper.lua': `return { name = 'from the helper' }`,
      'second.ws': `print(global, _G.print == print) return 5`,
    })
    expect(await harness.plugin.mule?.(join(directory, 'mule.lua'), harness.context)).toBe(true)
    expect(await harness.plugin.mule?.(join(directory, 'second.ws'), harness.context)).toBe(true)
    expect(lines()).toEqual(['from the helper\tnil\t0.0.0-test', 'nil\ttrue'])
  })

  it('boots Lua when no app has', async () => {
    const plugin = createLuaPlugin()
    const { context, logLines } = harness
    const bare = { ...context, data: undefined }
    await plugin.postFork?.(bare as never)
    const file = join(writeFiles({ 'mule.lua': `print('booted') uwsgi.atexit = function() print('ended') end` }), 'mule.lua')
    expect(await plugin.mule?.(file, bare as never)).toBe(true)
    plugin.atexit?.()
    expect(logLines.splice(0)).toEqual(['booted', 'ended'])
  })

  it.each(['mule.py', 'package.module:callable', 'mule.lua:main', ''])('%s is not one', async (program) => {
    expect(await harness.plugin.mule?.(program, harness.context)).toBe(false)
  })

  it('that fails says where; one that is not there, that', async () => {
    const directory = writeFiles({ 'fails.lua': `\nerror('no work')`, 'broken.lua': 'x x' })
    const run = async (name: string): Promise<unknown> => harness.plugin.mule?.(join(directory, name), harness.context)
    const failure = await run('fails.lua').catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(GuestError)
    expect((failure as GuestError).message).toMatch(/fails\.lua:2: no work$/)
    expect((failure as GuestError).traceback).toContain('fails.lua:2: in')
    await expect(run('broken.lua')).rejects.toThrow(/broken\.lua:1: syntax error/)
    const missing = run('none.lua')
    await expect(missing).rejects.toThrow(AppLoadError)
    await expect(missing).rejects.toThrow(/cannot load the Lua program .*none\.lua: no such file/)
  })
})

describe('a worker without Lua', () => {
  it('has nothing to do in any hook', async () => {
    const plugin = createLuaPlugin()
    const bare = { ...harness.context, data: undefined } as never
    await plugin.postFork?.(bare)
    plugin.fixup?.(bare)
    plugin.afterRequest?.(undefined as unknown as WsgiRequest)
    expect(plugin.muleMsg?.(new Uint8Array(0))).toBe(false)
    expect(plugin.spooler?.('/f', new Map(), new Uint8Array(0))).toBe(0)
    plugin.releaseFunction?.(undefined)
    plugin.atexit?.()
    expect(() => plugin.rpc?.(undefined, [])).toThrow('lua: the interpreter is not running')
  })
})
