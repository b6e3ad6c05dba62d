// Requests that are suspended where they stand, anywhere below their entry, and what of a thread's is a core's own.
import { beforeAll, describe, expect, test } from 'vitest'
import { CoreServer, settle } from './core-server.ts'

let server: CoreServer

beforeAll(async () => {
  server = await CoreServer.boot({ cores: 500 })
})

const setUp = 'import uwsgi, sys\ndef wait(value=None):\n    uwsgi.suspend()\n    return value\n'

describe('a request is suspended', () => {
  const places: [string, string, string][] = [
    ['in a plain call', 'result = wait(1)', '1'],
    ['in nested functions', 'def f(n): return wait(n) if n > 20 else f(n + 1)\nresult = f(0)', '21'],
    ['in a generator', 'def g():\n    for n in range(3): yield wait(n)\nresult = list(g())', '[0, 1, 2]'],
    ['in a comprehension', 'result = [wait(n) for n in range(3)]', '[0, 1, 2]'],
    ['in the key of a sort', 'result = sorted([3, 1, 2], key=wait)', '[1, 2, 3]'],
    ['in map and filter', 'result = list(filter(wait, map(wait, [1, 0, 2])))', '[1, 2]'],
    ['in exec and eval', 'exec("x = wait(4)")\nresult = eval("wait(x) + 1")', '5'],
    [
      'in a with that an exception ends',
      `class C:
    def __init__(self): self.x = 1
    def __enter__(self): return self
    def __exit__(self, *args): return wait(self.x) == 0
try:
    with C(): raise KeyError(wait(2))
except KeyError as e: result = repr(e)`,
      'KeyError(2)',
    ],
    [
      'in the comparison of a dict',
      `class Key:
    def __hash__(self): return 1
    def __eq__(self, other): return wait(self is other)
kept = Key()
result = {kept: 'found'}[kept], {Key(): 1}.get(Key())`,
      "('found', None)",
    ],
    [
      'in finally, and in an exception that is handled',
      `try:
    try: 1 / 0
    finally: a = wait('f')
except ZeroDivisionError:
    b = wait(sys.exc_info()[0].__name__)
    b = b, sys.exc_info()[0].__name__
result = a, b`,
      "('f', ('ZeroDivisionError', 'ZeroDivisionError'))",
    ],
    [
      'in with',
      'class C:\n    def __enter__(self): return wait(1)\n    def __exit__(self, *e): wait()\nwith C() as result: wait()',
      '1',
    ],
    ['in a property', 'class C:\n    p = property(lambda self: wait(6))\nresult = C().p', '6'],
    [
      'in the making of a class',
      'class M(type):\n    def __new__(m, *a): return wait(type.__new__(m, *a))\nclass C(metaclass=M): pass\nresult = C.__name__',
      'C',
    ],
    ['in re.sub', 'import re\nresult = re.sub("b", lambda m: wait("x"), "abc")', 'axc'],
    ['in the default of json', 'import json\nresult = json.dumps([object()], default=lambda o: wait(7))', '[7]'],
    ['in functools', 'import functools\nresult = functools.reduce(lambda a, b: wait(a + b), range(4))', '6'],
    [
      'in a decorated and cached function',
      'import functools\n@functools.lru_cache\ndef f(n): return wait(n)\nresult = f(1), f(1)',
      '(1, 1)',
    ],
  ]
  test.each(places)('%s', async (_place, code, result) => {
    expect(await server.run(setUp + code)).toBe(result)
    expect(await server.together(Array(5).fill(setUp + code))).toEqual(Array(5).fill(result))
  })

  test('and an exception is raised in it afterwards', async () => {
    const response = server.begin(`${setUp}uwsgi.suspend()`)
    await settle()
    server.waiting.pop()?.reject(new Error('broken'))
    expect((await response).text).toBe('OSError: broken')
  })

  test('while others come and go', async () => {
    const first = server.begin(`${setUp}kept = [n for n in range(100)]\nwait()\nresult = sum(kept)`)
    await settle()
    const [held] = server.waiting.splice(0)
    for (let round = 0; round < 20; round += 1) expect(await server.run(`${setUp}result = wait(${round})`)).toBe(`${round}`)
    held?.resolve()
    expect((await first).text).toBe('4950')
  })

  test('500 at a time', async () => {
    const codes = Array.from({ length: 500 }, (_, n) => `${setUp}kept = ${n}\nwait()\nresult = kept, wait(${n})`)
    expect(await server.together(codes)).toEqual(codes.map((_, n) => `(${n}, ${n})`))
  })
})

describe('of its own a core has', () => {
  const isolated = async (before: string, look: string): Promise<string[]> =>
    await server.together(
      ['a', 'b', 'c'].map((name) => `${setUp}import isolation\n${before.replaceAll('NAME', `'${name}'`)}\nwait()\n${look}`),
    )
  beforeAll(async () => {
    await server.run(`import sys, types, threading, contextvars
m = types.ModuleType('isolation')
m.local, m.var = threading.local(), contextvars.ContextVar('var', default='none')
sys.modules['isolation'] = m`)
  })

  test('threading.local', async () => {
    const look = 'result = isolation.local.x'
    expect(await isolated('isolation.local.x = NAME', look)).toEqual(['a', 'b', 'c'])
    expect(await server.run(`import isolation\nresult = hasattr(isolation.local, 'x')`)).toBe('False')
  })

  test('contextvars', async () => {
    expect(await isolated('isolation.var.set(NAME)', 'result = isolation.var.get()')).toEqual(['a', 'b', 'c'])
    expect(await server.run('import isolation\nresult = isolation.var.get()')).toBe('none')
  })

  test('the identity of its thread', async () => {
    const code = `${setUp}import threading\nme = threading.get_ident(), threading.current_thread()\nwait()
result = len({me[0], threading.get_ident(), threading.current_thread().ident}), threading.current_thread() is me[1], me[0]`
    const answers = await server.together([code, code, code])
    expect(answers.map((answer) => answer.replace(/\d+\)$/, ''))).toEqual(Array(3).fill('(1, True, '))
    expect(new Set(answers).size).toBe(3)
    expect(
      await server.run(
        'import threading\nresult = len(threading.enumerate()), threading.main_thread() is threading.current_thread()',
      ),
    ).toBe('(1, False)')
  })

  test('its frames, which others may look at', async () => {
    const waiting = server.begin(`${setUp}import isolation\ndef deep(n): return wait(n) if n > 5 else deep(n + 1)
isolation.frame = sys._getframe()
try: 1 / 0
except ZeroDivisionError as e: isolation.error = e
result = deep(0)`)
    await settle()
    const look = `import sys, gc, traceback, isolation
gc.collect()
frames = sys._current_frames()
text = ''.join(traceback.format_stack(isolation.frame)) + ''.join(traceback.format_exception(isolation.error))
result = len(frames) > 0, 'ZeroDivisionError' in text`
    expect((await server.begin(look)).text).toBe('(True, True)')
    server.resume()
    expect((await waiting).text).toBe('6')
    expect((await server.begin(look)).text).toBe('(True, True)')
  })

  test('the recursion that it is in: others stand as deep as ever', async () => {
    const deep = `${setUp}def f(n): return wait(n) if n == 700 else f(n + 1)\nresult = f(0)`
    expect(await server.together([deep, deep, deep])).toEqual(['700', '700', '700'])
  })
})

describe('where a core cannot be suspended', () => {
  test('below another call of the host, a function parks the thread instead', async () => {
    // The conversion of an argument runs while the host function is under way.
    const code = `${setUp}import time
class Slow:
    def __float__(self):
        uwsgi.suspend()
        return 0.0
time.sleep(Slow())`
    expect(await server.run(code)).toBe('OSError: parked')
    expect(await server.run('result = 1')).toBe('1')
  })
})

describe('deep recursion in a core', () => {
  const cases: [string, string, RegExp][] = [
    ['of functions', 'def f(): return f()\nf()', /^RecursionError: maximum recursion depth exceeded/],
    [
      'of keys of sorts',
      'sys.setrecursionlimit(10**6)\ndef f(n): return sorted([1], key=lambda _: f(n))\nf(0)',
      /^RecursionError: Stack overflow/,
    ],
    [
      'of __getattr__',
      'sys.setrecursionlimit(10**6)\nclass A:\n    def __getattr__(self, n): return getattr(self, n)\nA().x',
      /^RecursionError/,
    ],
    ['of repr', 'class A:\n    def __repr__(self): return repr([self])\nrepr(A())', /^RecursionError/],
    ['of json', 'import json\njson.loads("[" * 100000)', /^RecursionError/],
    ['of the parser', 'compile("-" * 5000 + "1", "x", "eval")', /^(RecursionError|MemoryError)/],
    ['of re', 'import re\nre.compile("(" * 5000 + ")" * 5000)', /^RecursionError/],
  ]
  test.each(cases)('%s is an exception, and its neighbours stay as they are', async (_of, code, error) => {
    const neighbour = `${setUp}def f(n): return (wait(n), n) if n == 50 else f(n + 1)\nresult = f(0)`
    const answers = await server.together([neighbour, `${setUp}wait()\nsys.setrecursionlimit(1000)\n${code}`, neighbour])
    expect(answers[1]).toMatch(error)
    expect([answers[0], answers[2]]).toEqual(['(50, 50)', '(50, 50)'])
  })
})

describe('a request that is given up while it waits', () => {
  test('is ended by an exception that `except Exception` does not catch', async () => {
    let cancel: (() => void) | undefined
    const code = `${setUp}
log = []
sys.modules['given_up'] = log
try:
    try: wait()
    except Exception: log.append('exception')
    finally: log.append('finally')
except BaseException as error:
    log.append(type(error).__name__)
    try: wait()
    except BaseException as error: log.append(str(error))
    raise SystemExit`
    const response = server.begin(code, {
      onOpen: (request) => {
        cancel = () => request.onCancel?.({ message: 'it took too long' } as never)
      },
    })
    await settle()
    cancel?.()
    await response
    expect(await server.run("import sys\nresult = sys.modules.pop('given_up')")).toBe(
      "['finally', 'Harakiri', 'the request is over']",
    )
    server.resume()
    await settle()
    expect(await server.run('result = 2')).toBe('2')
  })
})

describe('the memory', () => {
  test('of many requests that waited is free again', async () => {
    const round = async (): Promise<void> => {
      const code = `${setUp}import isolation\nisolation.local.big = bytes(1000)\nisolation.var.set([0] * 100)\nwait()`
      for (let batch = 0; batch < 25; batch += 1) await server.together(Array(100).fill(code))
    }
    const inUse = async (): Promise<number> =>
      Number(await server.run('import gc, tracemalloc\ngc.collect()\nresult = tracemalloc.get_traced_memory()[0]'))
    await server.run('import tracemalloc\ntracemalloc.start()')
    await round()
    const before = await inUse()
    await round()
    expect((await inUse()) - before).toBeLessThan(3000)
    await server.run('import tracemalloc\ntracemalloc.stop()')
  }, 60_000)

  test('limits how many cores there are', async () => {
    await expect(CoreServer.boot({ cores: 5000, memoryLimit: 128 * 2 ** 20 })).rejects.toThrow(
      /^python: 5000 cores do not fit into a memory limit of 128 MiB: they need \d+ MiB; \d+ would fit$/,
    )
  })
})

describe('an interpreter that dies', () => {
  test('takes those with it that wait', async () => {
    const doomed = await CoreServer.boot()
    const waiting = [doomed.begin(`${setUp}wait()`), doomed.begin(`${setUp}wait()`)]
    const ends = waiting.map((response) =>
      expect(response).rejects.toThrow('the Python interpreter died: the application ended the interpreter with status 3'),
    )
    await settle()
    await expect(doomed.begin('import os\nos._exit(3)')).rejects.toThrow('status 3')
    await Promise.all(ends)
    doomed.resume()
    await settle()
    await expect(doomed.begin('')).rejects.toThrow('status 3')
  })

  test('also when one of those that had waited brings it down', async () => {
    const doomed = await CoreServer.boot()
    const last = doomed.begin(`${setUp}import os\nwait()\nos._exit(4)`)
    const other = doomed.begin(`${setUp}wait()\nwait()`)
    await settle()
    const ends = [last, other].map((response) => expect(response).rejects.toThrow('status 4'))
    doomed.resume()
    await Promise.all(ends)
  })
})
