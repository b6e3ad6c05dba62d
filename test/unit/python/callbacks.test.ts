// Functions that Python hands to the server: kept, called by RPC and for signals, and given back.
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { GuestFunction } from '../../../host/api/guest-function.ts'
import type { ApiValue } from '../../../host/api/kinds.ts'
import { ApiError, GuestError } from '../../../host/errors.ts'
import { Guest, parameter, plugin } from './guest.ts'

let guest: Guest

beforeAll(async () => {
  guest = await Guest.boot([
    {
      name: 'refuse',
      params: [parameter('function', { name: 'function' }), parameter('int', { default: 0 })],
      call: () => {
        throw new ApiError('refuse', 'API_REFUSED', 'the table is full')
      },
    },
    { name: 'release', params: [parameter('text')], call: (name: string) => guest.kept.get(name)?.release() },
  ])
})

const define = (code: string): void => {
  expect(guest.run(code)).toBe('None')
}

/** The error that a call of a kept function ends with. */
const failureOf = (call: () => unknown): GuestError => {
  try {
    call()
  } catch (error) {
    expect(error).toBeInstanceOf(GuestError)
    return error as GuestError
  }
  throw new Error('nothing was raised')
}

beforeEach(() => {
  guest.log.length = 0
})

test('a function is handed over with the plugin that runs it', () => {
  define("uwsgi.keep('f', lambda: b'')")
  const kept = guest.kept.get('f') as GuestFunction
  expect(kept).toBeInstanceOf(GuestFunction)
  expect(kept.owner).toBe(plugin)
})

test.each([
  ['a function', 'def f(*args): return b"/".join(args)'],
  ['a lambda', 'f = lambda *args: b"/".join(args)'],
  ['an object with __call__', 'class C:\n  def __call__(self, *args): return b"/".join(args)\nf = C()'],
  ['a bound method', 'class C:\n  def m(self, *args): return b"/".join(args)\nf = C().m'],
  ['a partial', 'import functools\nf = functools.partial(lambda sep, *args: sep.join(args), b"/")'],
  ['a coroutine function', 'async def g(x): return x\nasync def f(*args): return await g(b"/".join(args))'],
])('%s is called with bytes and answers with bytes', (_, code) => {
  define(`${code}\nuwsgi.keep('f', f)\nresult = None`)
  expect(Buffer.from(guest.call('f', 'a', new Uint8Array([0, 255]), '') ?? [])).toEqual(Buffer.from([97, 47, 0, 255, 47]))
  expect(guest.call('f')).toEqual(new Uint8Array(0))
})

test('a class and a built-in function are functions too', () => {
  define("uwsgi.keep('class', bytes); uwsgi.keep('built-in', bytes.upper)")
  expect(guest.call('class', 'as it is')).toEqual(new Uint8Array(Buffer.from('as it is')))
  expect(guest.call('built-in', 'up')).toEqual(new Uint8Array(Buffer.from('UP')))
})

test.each(['5', "'text'", '[]', 'object()'])('%s is no function', (value) => {
  expect(guest.run(`uwsgi.keep('f', ${value})`)).toBe("TypeError: uwsgi.keep(): argument 'function' must be a function")
})

test('None is no function but a missing one', () => {
  expect(guest.run("uwsgi.keep('f', None)")).toBe("TypeError: uwsgi.keep(): missing argument 'function'")
})

test('many arguments and large ones arrive', () => {
  define("uwsgi.keep('count', lambda *args: b'%d %d' % (len(args), sum(map(len, args))))")
  const args = Array.from({ length: 3000 }, (_, index) => new Uint8Array(index % 7))
  const bytes = args.reduce((sum, { length }) => sum + length, 0)
  expect(Buffer.from(guest.call('count', ...args) ?? []).toString()).toBe(`3000 ${bytes}`)
  expect(Buffer.from(guest.call('count', new Uint8Array(20_000_000)) ?? []).toString()).toBe('1 20000000')
})

test('arguments that do not fit the memory are an error of the call', () => {
  define("uwsgi.keep('size', lambda *args: b'%d' % sum(map(len, args)))")
  const large = new Uint8Array(100_000_000)
  expect(failureOf(() => guest.call('size', 'x', large, large, large, 'y')).message).toBe('MemoryError')
  expect(Buffer.from(guest.call('size', 'x') ?? []).toString()).toBe('1')
})

test('None answers nothing, and bytes of a class of their own are bytes', () => {
  define("uwsgi.keep('none', lambda: None); uwsgi.keep('sub', lambda: type('Sub', (bytes,), {})(b'sub\\0'))")
  expect(guest.call('none')).toBeUndefined()
  expect(guest.call('sub')).toEqual(new Uint8Array(Buffer.from('sub\0')))
})

test('an answer of text is sent as UTF-8', () => {
  define("uwsgi.keep('text', lambda: 'snow \u2603')")
  expect(guest.call('text')).toEqual(new Uint8Array(Buffer.from('snow \u2603')))
})

test.each([
  ['5', 'int'],
  ['bytearray(2)', 'bytearray'],
  ['[]', 'list'],
])('an answer of %s is refused, naming function and type', (value, type) => {
  define(`def answers(): return ${value}\nuwsgi.keep('f', answers)`)
  expect(failureOf(() => guest.call('f')).message).toBe(
    `TypeError: answers() returned ${type}: an RPC function returns bytes, str or None`,
  )
})

test('an exception comes as text, with the frames of the guest and no others', () => {
  define("def inner(x): raise KeyError(x)\ndef outer(x): inner(x)\nuwsgi.keep('f', outer)")
  const error = failureOf(() => guest.call('f', '\u2603'))
  expect(error.language).toBe('python')
  expect(error.message).toBe("KeyError: b'\\xe2\\x98\\x83'")
  const frames = [...error.traceback.matchAll(/in (\w+)/g)].map(([, name]) => name)
  expect(frames).toEqual(['outer', 'inner'])
  expect(error.traceback).toContain('Traceback (most recent call last):')
  expect(error.traceback).not.toContain('polywsgi')
  expect(plugin.exceptionLog?.(error)).toBe(error)
})

test.each(['SystemExit(3)', 'KeyboardInterrupt()', 'MemoryError()', 'RecursionError("deep")'])(
  '%s leaves no function',
  (raised) => {
    define(`def f(): raise ${raised}\nuwsgi.keep('f', f)`)
    expect(failureOf(() => guest.call('f')).message).toMatch(raised.slice(0, raised.indexOf('(')))
    expect(guest.run('1 + 1')).toBe('2')
  },
)

test('a wrong number of arguments is an error of the call', () => {
  define("def two(a, b): return b''\nuwsgi.keep('f', two)")
  expect(failureOf(() => guest.call('f', 'a')).message).toBe("TypeError: two() missing 1 required positional argument: 'b'")
})

test('a coroutine function that waits for something answers later', async () => {
  define(`
import asyncio
async def f(x):
    await asyncio.sleep(0)
    return (await asyncio.gather(asyncio.sleep(0.001, x + b'!'), asyncio.sleep(0)))[0]
uwsgi.keep('f', f)`)
  const answers = ['a', 'b'].map((argument) => guest.call('f', argument))
  expect(answers[0]).toBeInstanceOf(Promise)
  expect((await Promise.all(answers)).map((bytes) => Buffer.from(bytes ?? []).toString())).toEqual(['a!', 'b!'])
  define("async def g():\n  await asyncio.sleep(0)\n  raise ValueError('in a coroutine')\nuwsgi.keep('g', g)")
  const error = await Promise.resolve(guest.call('g')).catch((caught: unknown) => caught)
  expect(error).toMatchObject({ message: 'ValueError: in a coroutine' })
  expect((error as GuestError).traceback).toContain('in g')
  expect((error as GuestError).traceback).not.toContain('polywsgi')
  define("async def h():\n  await asyncio.sleep(0)\n  return 5\nuwsgi.keep('h', h)")
  await expect(guest.call('h')).rejects.toThrow('TypeError: h() returned int: an RPC function returns bytes, str or None')
})

test('a coroutine function may be released while it waits', async () => {
  define("async def f():\n  await asyncio.sleep(0)\n  return 'still here'\nuwsgi.keep('f', f)\ndel f")
  const answer = guest.call('f')
  guest.kept.get('f')?.release()
  expect(Buffer.from((await answer) ?? []).toString()).toBe('still here')
})

test('a signal handler that is a coroutine function runs to its end', async () => {
  define("seen = []\nasync def s(n):\n  await asyncio.sleep(0.001)\n  seen.append(n)\nuwsgi.keep('s', s)")
  const running = plugin.signalHandler?.(7, guest.kept.get('s')?.handler)
  expect(guest.run('seen')).toBe('[]')
  expect(await running).toBe(true)
  expect(guest.run('seen')).toBe('[7]')
})

test('a signal calls its function with the number', () => {
  define("seen = []\nuwsgi.keep('s', seen.append)\nasync def a(n): seen.append(-n)\nuwsgi.keep('a', a)")
  expect(plugin.signalHandler?.(17, guest.kept.get('s')?.handler)).toBe(true)
  expect(plugin.signalHandler?.(255, guest.kept.get('a')?.handler)).toBe(true)
  expect(guest.run('seen')).toBe('[17, -255]')
  define("def bad(n): raise OSError(n)\nuwsgi.keep('bad', bad)")
  const error = failureOf(() => plugin.signalHandler?.(3, guest.kept.get('bad')?.handler))
  expect(error.message).toBe('OSError: 3')
  expect(error.traceback).toContain('in bad')
})

test('a function lives as long as the server keeps it', () => {
  define(`
import weakref
def make():
    def f(): return b'alive'
    uwsgi.keep('f', f)
    return weakref.ref(f)
ref = make()`)
  expect(guest.run('ref() is None')).toBe('False')
  expect(guest.call('f')).toEqual(new Uint8Array(Buffer.from('alive')))
  const kept = guest.kept.get('f') as GuestFunction
  kept.release()
  expect(guest.run('ref() is None')).toBe('True')
  kept.release()
  expect(failureOf(() => guest.call('f')).message).toBe('the function is not registered any more')
  expect(failureOf(() => plugin.signalHandler?.(1, kept.handler)).message).toBe('the function is not registered any more')
})

test('a function may be replaced or released while it runs', () => {
  define(`
class Self:
    def __call__(self):
        uwsgi.release('f')
        uwsgi.keep('f', lambda: b'next')
        return self.answer()
    def answer(self): return b'still here'
    def __del__(self): gone.append(True)
gone = []
uwsgi.keep('f', Self())`)
  expect(guest.call('f')).toEqual(new Uint8Array(Buffer.from('still here')))
  expect(guest.run('gone')).toBe('[True]')
  expect(guest.call('f')).toEqual(new Uint8Array(Buffer.from('next')))
})

test('what runs at the end of a function may use the server, and its exceptions stay where they are', () => {
  define(`
class Last:
    def __call__(self): return b''
    def __del__(self):
        uwsgi.keep('left', lambda: b'from the end')
        raise ValueError('at the end')
uwsgi.keep('f', Last())
uwsgi.keep('f', lambda: None)`)
  expect(guest.call('left')).toEqual(new Uint8Array(Buffer.from('from the end')))
  expect(guest.log.join('\n')).toContain('ValueError: at the end')
})

test('a call that is refused gives the function back', () => {
  define('def f(): pass\nimport sys\ncount = sys.getrefcount(f)')
  expect(guest.run('uwsgi.refuse(f)')).toBe('ValueError: uwsgi.refuse(): the table is full')
  expect(guest.run('uwsgi.refuse(f, [])')).toBe("TypeError: uwsgi.refuse(): argument 'value' is of a type the API does not take")
  expect(guest.run("uwsgi.refuse(f, 'x')")).toBe("TypeError: uwsgi.refuse(): argument 'value' must be a whole number")
  expect(guest.run('uwsgi.refuse(f, 1, 2)')).toBe('TypeError: uwsgi.refuse(): takes at most 2 arguments, got 3')
  expect(guest.run('sys.getrefcount(f) - count')).toBe('0')
})

test('only functions of this plugin are run', () => {
  const foreign: ApiValue = new GuestFunction({ name: 'lua' }, 5)
  expect(() => plugin.rpc?.(foreign.handler, [])).toThrow('python: not a function that this plugin handed out')
})

const blocks = () => Number(guest.run('(__import__("gc").collect(), __import__("sys").getallocatedblocks())[1]'))
/** Caches and free lists of CPython itself waver by so much. */
const waver = 120

test('ten thousand registrations, each replacing the last, leave nothing behind', () => {
  const cycle = () => {
    define(`
for number in range(10_000):
    uwsgi.keep('f', lambda *args, number=number: b'%d' % number)
del number`)
  }
  cycle()
  const before = blocks()
  cycle()
  expect(blocks() - before).toBeLessThan(waver)
  expect(Buffer.from(guest.call('f') ?? []).toString()).toBe('9999')
})

test.each([
  ['answers', 'lambda x: x * 2', 'argument'],
  ['exceptions', 'lambda x: x.nothing', undefined],
  ['refused answers', 'lambda x: 5', undefined],
  ['coroutines', '__import__("importlib").import_module("types").coroutine(lambda x: (yield))', undefined],
] as const)('calls with %s leave nothing behind', (_, code, argument) => {
  define(`uwsgi.keep('f', ${code})`)
  const call = () => {
    for (let round = 0; round < 1000; round += 1) {
      if (argument !== undefined) guest.call('f', `${argument}${round}`)
      else failureOf(() => guest.call('f', 'x'))
    }
  }
  call()
  const before = blocks()
  call()
  expect(blocks() - before).toBeLessThan(waver)
})
