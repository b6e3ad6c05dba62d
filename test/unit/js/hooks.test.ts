// Hooks that programs set on `uwsgi`, and programs of mules.
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createJsPlugin } from '../../../bindings/js/index.ts'
import { GuestError } from '../../../host/errors.ts'
import type { MasterContext } from '../../../host/plugin/plugin.ts'
import type { WsgiRequest } from '../../../host/request/wsgi-request.ts'
import { directoryWith } from './js-apps.ts'
import { type Booted, bootApi, type MadeApi } from './made-api.ts'

const hooks = ['post_fork_hook', 'after_req_hook', 'mule_msg_hook', 'spooler', 'atexit']

/** A guest with all hooks, and a function that notes what it is told. */
const boot = async (source: string, made: MadeApi = {}): Promise<Booted & { notes: string[] }> => {
  const notes: string[] = []
  const note = { params: [{ name: 'text', type: 'text' as const }], call: (text: string) => void notes.push(text) }
  const booted = await bootApi({ hooks, ...made, functions: { note, ...made.functions } })
  await booted.mount(`${source}\nexport default () => new Response('ok')`)
  return { ...booted, notes }
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('a hook', () => {
  it('is the same member under both names, undefined until it is set', async () => {
    const { harness, mount } = await bootApi({ hooks })
    await mount(`const names = ['postForkHook', 'post_fork_hook', 'afterReqHook', 'muleMsgHook', 'mule_msg_hook', 'spooler', 'atexit']
      const first = names.map((name) => uwsgi[name] === undefined)
      const fn = () => {}
      uwsgi.muleMsgHook = fn
      const seen = [uwsgi.muleMsgHook === fn, uwsgi.mule_msg_hook === fn]
      uwsgi.mule_msg_hook = undefined
      seen.push(uwsgi.muleMsgHook === undefined)
      uwsgi.post_fork_hook = fn
      seen.push(uwsgi.postForkHook === fn)
      uwsgi.postForkHook = null
      seen.push(uwsgi.post_fork_hook === undefined)
      let refused
      try { uwsgi.spooler = 'text' } catch (error) { refused = [error.name, error.code, error.message] }
      export default () => Response.json([first, seen, refused, Object.keys(uwsgi).length])`)
    expect(JSON.parse((await harness.request()).text)).toEqual([
      Array(7).fill(true),
      Array(5).fill(true),
      ['UwsgiError', 'API_ARGUMENT', 'uwsgi.spooler must be a function'],
      9,
    ])
  })

  it('that is not set does nothing, and neither does a plugin that runs no JavaScript', async () => {
    const { plugin, context } = await boot('')
    const idle = createJsPlugin()
    for (const one of [plugin, idle]) {
      expect(one.fixup?.(context as never)).toBeUndefined()
      expect(one.afterRequest?.({} as WsgiRequest)).toBeUndefined()
      expect(one.muleMsg?.(bytes('x'))).toBe(false)
      expect(one.spooler?.('f', new Map(), bytes(''))).toBe(0)
      expect(one.currentRequest?.()).toBeUndefined()
      expect(one.releaseFunction?.(1)).toBeUndefined()
      expect(one.atexit?.()).toBeUndefined()
    }
    expect(await idle.mule?.('program.py', context as never)).toBe(false)
    expect(() => idle.rpc?.(1, [])).toThrow('no JavaScript runs in this thread')
  })

  it('runs as the thread begins its work, and is waited for', async () => {
    const { plugin, context, notes } = await boot(
      "uwsgi.postForkHook = async (...args) => { uwsgi.note('began ' + args.length); await new Promise((resolve) => setTimeout(resolve)); uwsgi.note('done') }",
    )
    await plugin.fixup?.(context)
    expect(notes).toEqual(['began 0', 'done'])
    const failing = await boot("uwsgi.post_fork_hook = () => { throw new Error('no start') }")
    expect(() => failing.plugin.fixup?.(failing.context)).toThrow(GuestError)
  })

  it('runs after each request, with that request as the current one', async () => {
    const seen: unknown[] = []
    const booted: Booted = await boot('uwsgi.afterReqHook = () => uwsgi.look()', {
      functions: { look: { call: () => void seen.push(booted.plugin.currentRequest?.()?.getVar('REQUEST_URI')) } },
    })
    await booted.harness.request({ path: '/a' })
    await booted.harness.request({ path: '/b' })
    expect(seen).toEqual(['/a', '/b'])
    expect(booted.plugin.currentRequest?.()).toBeUndefined()
  })

  it('that fails after a request is an error of the guest; a promise of it is reported', async () => {
    const { plugin, harness } = await boot("uwsgi.afterReqHook = () => { throw new Error('late') }")
    expect(() => plugin.afterRequest?.({} as WsgiRequest)).toThrow('Error: late')
    const second = await boot(
      "uwsgi.afterReqHook = async () => { await new Promise((resolve) => setTimeout(resolve)); queueMicrotask(() => uwsgi.note('failed')); throw new Error('later') }",
    )
    await second.harness.request()
    await expect
      .poll(() => second.harness.logLines.join('\n'))
      .toMatch(/uncaught error in uwsgi.after_req_hook: Error: later\n.*app\.js:1/)
    expect(harness.logLines).toEqual([])
  })

  it('gets a message for a mule as bytes', async () => {
    const { plugin, notes } = await boot(
      "uwsgi.muleMsgHook = (message) => uwsgi.note(message.constructor.name + ' ' + message + ' ' + message.length)",
    )
    expect(plugin.muleMsg?.(Uint8Array.of(0x68, 0, 0xff))).toBe(true)
    expect(notes).toEqual(['UwsgiBytes h\0\ufffd 3'])
    const later = await boot(
      "uwsgi.mule_msg_hook = async (message) => { await new Promise((resolve) => setTimeout(resolve)); if (message.length === 0) throw new Error('empty'); return false }",
    )
    expect(await later.plugin.muleMsg?.(bytes('x'))).toBe(true)
    await expect(later.plugin.muleMsg?.(bytes(''))).rejects.toThrow('Error: empty')
  })

  it('takes a job of the spooler as an object, and answers with a number', async () => {
    const { plugin, notes } = await boot(`uwsgi.spooler = (env) => {
      uwsgi.note([Object.keys(env), Object.getPrototypeOf(env), typeof env.spooler_task_name, env.body?.constructor.name, env.k, env.body].join(' '))
      return { done: -2, retry: -1, odd: 7, later: Promise.resolve(-2), nothing: undefined, text: '-2', yes: true }[env.k]
    }`)
    const run = (k: string, body = '') => plugin.spooler?.('/spool/job1', new Map([['k', bytes(k)]]), bytes(body))
    expect(run('done', 'b\0')).toBe(-2)
    expect(['retry', 'odd', 'later', 'nothing', 'text', 'yes'].map((k) => run(k))).toEqual([-1, 7, -2, -1, -1, -1])
    expect(notes.slice(0, 2)).toEqual([
      'k,spooler_task_name,body  string UwsgiBytes done b\0',
      'k,spooler_task_name  string  retry ',
    ])
  })

  it('of the spooler gets every name and value, and may wait or fail', async () => {
    const { plugin } = await boot(`uwsgi.spooler = async (env) => {
      await new Promise((resolve) => setTimeout(resolve))
      if (env.fail) throw new Error('job ' + env.fail)
      return Object.keys(env).join() === '__proto__,\\udcff,gr\\u00fcn,spooler_task_name' && env['__proto__'][0] === 255 && env.toString === undefined ? -2 : 0
    }`)
    const vars = new Map([
      ['__proto__', Uint8Array.of(255)],
      ['\xff', bytes('')],
      ['gr\xc3\xbcn', bytes('x')],
    ])
    expect(await plugin.spooler?.('f', vars, bytes(''))).toBe(-2)
    await expect(plugin.spooler?.('f', new Map([['fail', bytes('1')]]), bytes(''))).rejects.toThrow('Error: job 1')
  })

  it('runs at the end, and what it throws is logged', async () => {
    const { plugin, harness, notes } = await boot("uwsgi.atexit = () => { uwsgi.note('end'); throw new Error('at the end') }")
    plugin.atexit?.()
    expect(notes).toEqual(['end'])
    expect(harness.logLines.join('\n')).toMatch(/^uncaught error in uwsgi.atexit: Error: at the end\n.*app\.js:1/)
  })
})

describe("a mule's program", () => {
  const bootProgram = async (files: Record<string, string>, made: MadeApi = {}) => {
    const notes: string[] = []
    const note = { params: [{ name: 'text', type: 'text' as const }], call: (text: string) => void notes.push(text) }
    const booted = await bootApi({ hooks, ...made, functions: { note, ...made.functions } })
    const directory = directoryWith(files)
    return { ...booted, notes, run: (name: string) => booted.plugin.mule?.(join(directory, name), booted.context) }
  }

  it('is a module: its top level is awaited, then its default export called and awaited', async () => {
    const { run, notes } = await bootProgram({
      'mule.mjs': `import { word } from './word.js'
        import { note } from 'uwsgi'
        note('top')
        await new Promise((resolve) => setTimeout(resolve))
        note('awaited')
        export default async (...args) => { note(word + args.length); await new Promise((resolve) => setTimeout(resolve)); note('end') }`,
      'word.js': "export const word = 'main'",
      'plain.js': "uwsgi.note('plain'); export default 5",
      'script.js': "exports.x = 1; uwsgi.note('script'); module.exports = () => uwsgi.note('called')",
    })
    expect(await run('mule.mjs')).toBe(true)
    expect(notes.splice(0)).toEqual(['top', 'awaited', 'main0', 'end'])
    expect(await run('plain.js')).toBe(true)
    expect(await run('script.js')).toBe(true)
    expect(notes).toEqual(['plain', 'script', 'called'])
  })

  it('may stay in a call that waits, and handlers run meanwhile', async () => {
    const messages = ['one', 'two', 'three']
    const { run, notes, plugin } = await bootProgram(
      {
        'mule.js': `uwsgi.muleMsgHook = (message) => { uwsgi.note('hook ' + message) }
          for (let message; (message = uwsgi.muleGetMsg()) !== undefined; ) uwsgi.note('got ' + message)`,
      },
      {
        functions: {
          mule_get_msg: {
            returns: 'bytes',
            call: () => {
              const message = messages.shift()
              if (message === undefined) return undefined
              expect(plugin.muleMsg?.(bytes(message))).toBe(true)
              return bytes(message)
            },
          },
        },
      },
    )
    expect(await run('mule.js')).toBe(true)
    expect(notes).toEqual(['hook one', 'got one', 'hook two', 'got two', 'hook three', 'got three'])
  })

  it('that cannot be loaded, or fails, is an error with its lines', async () => {
    const { run } = await bootProgram({
      'syntax.js': 'let x = ;',
      'top.js': "\nthrow new TypeError('top')",
      'main.js': "export default async () => {\n await null; throw new Error('main') }",
      'script.cjs': "throw new Error('script')",
    })
    await expect(run('missing.js')).rejects.toThrow(/cannot load .*missing\.js: no such file/)
    await expect(run('syntax.js')).rejects.toThrow(/^SyntaxError/)
    const failureOf = async (name: string): Promise<unknown> => {
      try {
        return await run(name)
      } catch (error) {
        return error
      }
    }
    const top = (await failureOf('top.js')) as GuestError
    expect([top instanceof GuestError, top.message, /top\.js:2/.test(top.traceback)]).toEqual([true, 'TypeError: top', true])
    const main = (await failureOf('main.js')) as GuestError
    expect([main.message, /main\.js:2/.test(main.traceback)]).toEqual(['Error: main', true])
    await expect(run('script.cjs')).rejects.toThrow('Error: script')
  })

  it('boots the interpreter in a thread that had no use for it', async () => {
    const { context } = await bootApi({})
    const booted: string[] = []
    const plugin = createJsPlugin()
    await plugin.init?.({ isNeeded: false } as MasterContext)
    const bare = { ...context, data: undefined, booted: (what: string) => void booted.push(what) } as never
    await plugin.postFork?.(bare)
    expect(booted).toEqual([])
    const directory = directoryWith({ 'mule.js': "uwsgi.log('alive')" })
    expect(await plugin.mule?.(join(directory, 'mule.py'), bare)).toBe(false)
    expect(booted).toEqual([])
    await expect(plugin.mule?.(join(directory, 'mule.js'), bare)).rejects.toThrow('not a function')
    expect(booted).toEqual(['js'])
  })
})
