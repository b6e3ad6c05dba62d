// What guests assign to `uwsgi` for the server to call, and the programs of mules.
import { basename, dirname } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { GuestError } from '../../../host/errors.ts'
import { PluginHarness } from '../../support/plugin-harness.ts'
import { plugin } from './guest.ts'
import { appPath } from './python-harness.ts'
import { Services } from './services.ts'

let services: Services
let harness: PluginHarness

const boot = async (): Promise<void> => {
  services = new Services()
  harness = await PluginHarness.boot(plugin, { server: services.context({ kind: 'mule', workerId: 0, muleId: 1 }) })
  await harness.mount(appPath('hooks.py'))
}
beforeEach(boot)
afterEach(() => harness.close())

/** What a function registered by `uwsgi.register_rpc` answers. */
const answer = (name: string, ...args: string[]) =>
  Buffer.from(services.call(name, ...args.map((text) => Buffer.from(text))) ?? []).toString()
const run = (code: string) => answer('evaluate', code)
const result = (expression: string) => run(`result = ${expression}`)

const failureOf = async (work: () => unknown): Promise<GuestError> => {
  try {
    await work()
  } catch (error) {
    expect(error).toBeInstanceOf(GuestError)
    return error as GuestError
  }
  throw new Error('nothing was raised')
}

describe('a hook that nobody has set', () => {
  test('is not there, and is not called', async () => {
    const names = ['post_fork_hook', 'after_req_hook', 'mule_msg_hook', 'spooler', 'atexit']
    expect(result(`[hasattr(uwsgi, name) for name in ${JSON.stringify(names)}]`)).toBe('[False, False, False, False, False]')
    await plugin.fixup?.(harness.context)
    expect((await harness.request()).text).toBe('done')
    expect(plugin.muleMsg?.(Buffer.from('message'))).toBe(false)
    expect(plugin.spooler?.('/spool/job', new Map(), Buffer.from(''))).toBe(0)
    expect(harness.logLines).toEqual([])
  })

  test('and one that was set to None or deleted', () => {
    run('uwsgi.mule_msg_hook = None; uwsgi.spooler = lambda env: 5; del uwsgi.spooler')
    expect(plugin.muleMsg?.(Buffer.from('message'))).toBe(false)
    expect(plugin.spooler?.('/spool/job', new Map(), Buffer.from(''))).toBe(0)
  })
})

describe('post_fork_hook', () => {
  test('runs when the thread begins its work', async () => {
    run("uwsgi.post_fork_hook = lambda: calls.append('forked')")
    await plugin.fixup?.(harness.context)
    expect(result('calls')).toBe("['forked']")
  })
  test('that raises is logged, and the thread goes on', async () => {
    run("def hook(): raise ValueError('no')\nuwsgi.post_fork_hook = hook")
    await plugin.fixup?.(harness.context)
    expect(harness.logLines.at(-1)).toBe('ValueError: no')
    expect(harness.logLines.join('\n')).toContain('in hook')
  })
  test('ends the thread by SystemExit', async () => {
    run('def hook(): raise SystemExit(1)\nuwsgi.post_fork_hook = hook')
    expect((await failureOf(() => plugin.fixup?.(harness.context))).message).toBe('SystemExit: 1')
  })
})

describe('after_req_hook', () => {
  test('runs after each request, and its exceptions are logged', async () => {
    run("uwsgi.after_req_hook = lambda: calls.append('after')")
    await harness.request()
    await harness.request()
    expect(result('calls')).toBe("['request', 'after', 'request', 'after']")
    run('uwsgi.after_req_hook = lambda: 1 / 0')
    expect((await harness.request()).text).toBe('done')
    expect(harness.logLines.at(-1)).toBe('ZeroDivisionError: division by zero')
  })
})

test('atexit runs before the atexit functions of Python, and its exceptions are logged', async () => {
  run("import atexit; atexit.register(print, 'of Python'); uwsgi.atexit = lambda: print('of uwsgi')")
  harness.close()
  expect(harness.logLines).toEqual(['of uwsgi', 'of Python'])
  await boot()
  run("uwsgi.atexit = lambda: {}['missing']")
  harness.close()
  expect(harness.logLines.at(-1)).toBe("KeyError: 'missing'")
})

test('mule_msg_hook gets the bytes of a message; what it raises is an error of the plugin', async () => {
  run('uwsgi.mule_msg_hook = calls.append')
  expect(plugin.muleMsg?.(new Uint8Array([0, 255, 10]))).toBe(true)
  expect(plugin.muleMsg?.(new Uint8Array(0))).toBe(true)
  expect(result('calls')).toBe("[b'\\x00\\xff\\n', b'']")
  run('def hook(m): raise OSError(m)\nuwsgi.mule_msg_hook = hook')
  const error = await failureOf(() => plugin.muleMsg?.(Buffer.from('m')))
  expect(error.message).toBe("OSError: b'm'")
  expect(error.traceback).toContain('in hook')
})

describe('spooler', () => {
  const vars = new Map([
    ['name\xff', Buffer.from('value\0')],
    ['empty', Buffer.alloc(0)],
  ])
  const spool = (body = '') => plugin.spooler?.('/spool/caf\u00e9', vars, Buffer.from(body))

  test('gets the names of a job as bytes, and what the spooler says of it as str', () => {
    run('def spooler(env):\n  calls.append(env)\n  return uwsgi.SPOOL_OK\nuwsgi.spooler = spooler')
    expect(spool()).toBe(-2)
    expect(result('calls.pop()')).toBe("{b'name\\xff': b'value\\x00', b'empty': b'', 'spooler_task_name': '/spool/café'}")
    expect(spool('body\0')).toBe(-2)
    expect(result("calls.pop()['body']")).toBe("b'body\\x00'")
  })

  test.each([
    ['uwsgi.SPOOL_OK', -2],
    ['uwsgi.SPOOL_RETRY', -1],
    ['uwsgi.SPOOL_IGNORE', 0],
    ['7', 7],
    ['None', -1],
    ["'done'", -1],
    ['-2.0', -1],
    ['1 << 80', -1],
  ])('that returns %s answers %i', (value, expected) => {
    run(`uwsgi.spooler = lambda env: ${value}`)
    expect(spool()).toBe(expected)
  })

  test('may be a coroutine function', () => {
    run('async def spooler(env): return -2\nuwsgi.spooler = spooler')
    expect(spool()).toBe(-2)
  })

  test('leaves nothing of its jobs behind', () => {
    run("def spooler(env):\n  if env['body'] == b'bad': raise ValueError(env)\n  return -2\nuwsgi.spooler = spooler")
    const cycle = () => {
      for (let round = 0; round < 500; round += 1) {
        expect(spool('good')).toBe(-2)
        expect(() => spool('bad')).toThrow(GuestError)
      }
    }
    const blocks = () => Number(run('import gc, sys; gc.collect(); result = sys.getallocatedblocks()'))
    cycle()
    const before = blocks()
    cycle()
    // Caches and free lists of CPython itself waver by so much.
    expect(blocks() - before).toBeLessThan(120)
  })

  test('that raises is an error, also when it was not callable at all', async () => {
    run("uwsgi.spooler = lambda env: env[b'missing']")
    expect((await failureOf(spool)).message).toBe("KeyError: b'missing'")
    run('uwsgi.spooler = 5')
    expect((await failureOf(spool)).message).toBe("TypeError: 'int' object is not callable")
  })
})

test('hooks run among the modules of the application that set them', async () => {
  await harness.mount(appPath('space-a/sets_hook.py'), '/a')
  await harness.mount(appPath('space-b/app.py'), '/b')
  expect((await harness.request({ mountpoint: '/b' })).text).toBe('settings of b lazy of b')
  expect(harness.logLines).toEqual(['after: settings of a, lazy of a'])
  expect((await harness.request({ mountpoint: '/b' })).text).toBe('settings of b lazy of b')
})

describe('a request', () => {
  test('goes on with its own body and response after functions of other applications have run within it', async () => {
    await harness.mount(appPath('calls_back.py'), '/calls')
    await harness.mount(appPath('space-b/registers.py'), '/b')
    const response = await harness.request({ mountpoint: '/calls', method: 'POST', body: 'first\nsecond' })
    expect(response.text).toBe("b'first\\n' settings of b b'second' settings of b")
    expect(harness.logLines).toEqual([])
  })
})

describe("a mule's program", () => {
  const script = appPath('programs/script.py')
  const mule = (program: string) => plugin.mule?.(program, harness.context)

  test('of a file runs as a script, beside its siblings, to its end', async () => {
    services.arriving.push(Buffer.from('go on'), Buffer.from('stop'))
    expect(await mule(script)).toBe(true)
    expect(services.arriving).toEqual([])
    expect(answer('script')).toBe(`${script} ['${script}'] sibling True`)
  })

  test('ends well by exit(0) and badly by any other', async () => {
    services.arriving.push(Buffer.from('exit'), Buffer.from('exitbroken'))
    expect(await mule(script)).toBe(true)
    expect((await failureOf(() => mule(script))).message).toBe('SystemExit: broken')
  })

  test('that raises is an error with the frames of the program and no others', async () => {
    services.arriving.push(Buffer.from('raise'))
    const error = await failureOf(() => mule(script))
    expect(error.message).toBe('ValueError: in a program')
    expect(error.traceback.match(/File "[^"]*"/g)).toEqual([`File "${script}"`])
  })

  test('of a module and a function of it is called', async () => {
    const directory = dirname(script)
    vi.spyOn(process, 'cwd').mockReturnValue(directory)
    for (const callable of ['main', 'waits_for_nothing']) {
      services.arriving.push(Buffer.from('message'))
      expect(await mule(`sibling:${callable}`)).toBe(true)
      expect(answer('module')).toBe('sibling')
    }
    expect((await failureOf(() => mule('sibling:missing'))).message).toBe(
      "AttributeError: module 'sibling' has no attribute 'missing'",
    )
    expect((await failureOf(() => mule('nowhere:main'))).message).toBe("ModuleNotFoundError: No module named 'nowhere'")
    services.arriving.push(Buffer.from('stop'))
    expect(await mule(basename(script, '.py'))).toBe(true)
    vi.restoreAllMocks()
  })

  test.each(['worker.lua', './mule.js', 'no_such_module', 'a b', ''])('%o is left to other languages', async (program) => {
    expect(await mule(program)).toBe(false)
  })

  test('that is not there is an error', async () => {
    await expect(mule('/nowhere/mule.py')).rejects.toThrow('cannot load /nowhere/mule.py: no such file')
  })
})
