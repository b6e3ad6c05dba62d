// Calls that go out of Python and come back into it while the first one waits: what each level sees is its own.
import { beforeEach, describe, expect, test } from 'vitest'
import { ApiError } from '../../../host/errors.ts'
import { Guest, parameter, plugin } from './guest.ts'

let guest: Guest

/** `uwsgi.call`, as the server has it: straight to the function, by way of the host. */
const boot = async (): Promise<Guest> => {
  const names = [parameter('text', { name: 'name' }), parameter('bytes', { name: 'args', variadic: true })]
  const call = (name: string, args: Uint8Array[]) => guest.call(name, ...args)
  /** As another language that has caught the error of the call and goes on. */
  const caught = (name: string) => {
    try {
      return guest.call(name)
    } catch (error) {
      return Buffer.from(`caught ${(error as Error).message}`)
    }
  }
  return await Guest.boot([
    { name: 'call', params: names, returns: 'bytes', call },
    { name: 'caught', params: [parameter('text')], returns: 'bytes', call: caught },
    {
      name: 'signal',
      params: [parameter('int')],
      call: (signum: number) => void plugin.signalHandler?.(signum, guest.kept.get('s')?.handler),
    },
    {
      name: 'fail',
      call: () => {
        throw new ApiError('fail', 'API_IO', 'broken')
      },
    },
  ])
}

const define = (code: string): void => {
  expect(guest.run(code)).toBe('None')
}
const text = (name: string, ...args: string[]) => Buffer.from(guest.call(name, ...args) ?? []).toString()

describe('calls back into Python', () => {
  beforeEach(async () => {
    guest = await boot()
  })

  test('go three levels deep and come back with their values', () => {
    define(`
def third(x): return x + b'3'
def second(x):
    kept = [x] * 10
    answer = uwsgi.call('third', x + b'2')
    return answer + (b'-2' if kept == [x] * 10 else b'?')
def first(x): return uwsgi.call('second', x + b'1') + b'-1'
for f in (first, second, third): uwsgi.keep(f.__name__, f)`)
    expect(text('first', '0')).toBe('0123-2-1')
    expect(guest.run("uwsgi.call('first', 'x')")).toBe("b'x123-2-1'")
  })

  test('carry an exception through all levels, each of which may handle it', () => {
    define(`
log = []
def third(): raise KeyError('deep')
def second():
    try: uwsgi.call('third')
    except RuntimeError as error:
        log.append(str(error))
        raise ValueError('second') from error
def first():
    try: uwsgi.call('second')
    finally: log.append('first left')
for f in (first, second, third): uwsgi.keep(f.__name__, f)`)
    expect(() => guest.call('first')).toThrow('RuntimeError: ValueError: second')
    expect(guest.run('log')).toBe(`["KeyError: 'deep'", 'first left']`)
    expect(guest.run("uwsgi.call('first')")).toBe('RuntimeError: RuntimeError: ValueError: second')
    expect(guest.run('__import__("sys").exc_info()')).toBe('(None, None, None)')
  })

  test('may fail in the host at the deepest level', () => {
    define("uwsgi.keep('f', lambda: uwsgi.fail())\nuwsgi.keep('g', lambda: uwsgi.call('f'))")
    expect(guest.run("uwsgi.call('g')")).toBe('RuntimeError: RuntimeError: OSError: uwsgi.fail(): broken')
  })

  test('may run the handler of a signal, whose exception is its own', () => {
    define(`
seen = []
def handler(n):
    seen.append(n)
    if n > 2: raise ValueError(n)
uwsgi.keep('s', handler)
def waits():
    uwsgi.signal(1); uwsgi.signal(2)
    return b'%d' % len(seen)
uwsgi.keep('waits', waits)`)
    expect(text('waits')).toBe('2')
    expect(guest.run('uwsgi.signal(3)')).toBe('RuntimeError: ValueError: 3')
  })

  test('may grow the memory under the feet of those that wait', () => {
    define(`
big = []
def grow(x):
    big.append(bytearray(24 * 1024 * 1024))
    return x
uwsgi.keep('grow', grow)`)
    expect(guest.run("[uwsgi.call('grow', bytes([n]) * 100) == bytes([n]) * 100 for n in range(3)]")).toBe('[True, True, True]')
  })

  test('that never end are refused at a depth that the interpreter survives', () => {
    define(`
depth = 0
refusals = []
def f():
    global depth
    depth += 1
    try: return uwsgi.call('f')
    except RuntimeError as error:
        refusals.append(str(error))
        raise
uwsgi.keep('f', f)`)
    expect(() => guest.call('f')).toThrow(/^(RuntimeError: )+/)
    expect(guest.run('depth, refusals[0]')).toBe("(64, 'calls into Python are nested too deep')")
    expect(guest.run('1 + 1')).toBe('2')
  })

  test('may run out of the stack of Python itself', () => {
    define("def f(): return f()\nuwsgi.keep('f', f)\nuwsgi.keep('g', lambda: uwsgi.call('f'))")
    expect(guest.run("uwsgi.call('g')")).toMatch(/^RuntimeError: RuntimeError: RecursionError: maximum recursion depth exceeded/)
    expect(guest.run('1 + 1')).toBe('2')
  })

  test('find the modules of their own application, and leave those of the caller in place', async () => {
    await guest.load('space-a/callback.py')
    await guest.load('space-b/callback.py')
    const [a, b] = ['settings of a, lazy of a', 'settings of b, lazy of b']
    expect(text('names of a')).toBe(a)
    expect(text('names of b')).toBe(b)
    expect(text('names of a', 'names of b')).toBe(`${a} (${b}) ${a}`)
    expect(text('names of b', 'names of a', 'names of b')).toBe(`${b} (${a} (${b}) ${a}) ${b}`)
  })

  test('happen while an application loads, which then goes on among its own modules', async () => {
    await guest.load('space-a/callback.py')
    await guest.load('space-b/calls_while_loading.py')
    expect(text('loaded by b')).toBe('settings of a, lazy of a / settings of b, lazy of b')
  })

  test('end everything when the interpreter dies in one of them, whoever caught it in between', () => {
    define(`
after = []
import os
uwsgi.keep('dies', lambda: os._exit(3))
def outer():
    try: uwsgi.caught('dies')
    finally: after.append(True)
uwsgi.keep('outer', outer)`)
    const death = 'the Python interpreter died: the application ended the interpreter with status 3'
    expect(() => guest.call('outer')).toThrow(death)
    expect(() => guest.call('outer')).toThrow(death)
    expect(() => plugin.signalHandler?.(1, guest.kept.get('outer')?.handler)).toThrow(death)
    guest.kept.get('outer')?.release()
  })
})
