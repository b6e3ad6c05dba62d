// What `threading`, `queue` and the import system do between cores: who waits is suspended, and nobody waits for ever.
import { beforeAll, describe, expect, test } from 'vitest'
import { CoreServer, settle } from './core-server.ts'

let server: CoreServer

beforeAll(async () => {
  server = await CoreServer.boot()
  await server.run(`import sys, types, threading, queue
m = types.ModuleType('shared')
m.lock, m.rlock, m.condition = threading.Lock(), threading.RLock(), threading.Condition()
m.event, m.semaphore, m.queue, m.simple = threading.Event(), threading.Semaphore(2), queue.Queue(1), queue.SimpleQueue()
m.barrier, m.log = threading.Barrier(3), []
sys.modules['shared'] = m`)
})

const setUp = 'import uwsgi, sys, threading, time, shared\nfrom shared import *\ndef wait():\n    uwsgi.suspend()\n'
const together = async (...codes: string[]): Promise<string[]> => await server.together(codes.map((code) => setUp + code))

describe('between cores', () => {
  test.each(['lock', 'rlock'])('a %s lets one in at a time, in the order in which they came', async (name) => {
    const code = (who: string): string => `with ${name}:
    log.append('${who} in')
    wait()
    log.append('${who} out')
result = log[:]; ${who === 'c' ? 'log.clear()' : 'pass'}`
    const answers = await together(code('a'), code('b'), code('c'))
    expect(answers[2]).toBe("['a in', 'a out', 'b in', 'b out', 'c in', 'c out']")
  })

  test("an RLock is its owner's as often as it likes, and nobody else's", async () => {
    const answers = await together(
      'with rlock:\n    with rlock:\n        wait()\n    result = rlock._is_owned()',
      'result = rlock.acquire(blocking=False), rlock._is_owned()\ntry: rlock.release()\nexcept RuntimeError as e: result += (str(e),)',
    )
    expect(answers).toEqual(['True', "(False, False, 'cannot release un-acquired lock')"])
  })

  test('a lock is not waited for longer than wanted, and is free afterwards', async () => {
    const answers = await together(
      'lock.acquire()\nshared.event.wait()\nlock.release()\nresult = 1',
      'result = lock.acquire(timeout=0.01), lock.acquire(False)\nshared.event.set()',
    )
    expect(answers).toEqual(['1', '(False, False)'])
    expect(await together('shared.event.clear()\nresult = lock.acquire(timeout=1)\nlock.release()')).toEqual(['True'])
  })

  test('locks are released and used as those of threads', async () => {
    const code = `def tried(f, *a, **k):
    try: return f(*a, **k)
    except Exception as e: return type(e).__name__
l = threading.Lock()
result = tried(l.release), l.acquire(), l.locked(), tried(l.acquire, False, 1), tried(l.acquire, True, -2), tried(l.acquire, timeout=float('nan')), l.release(), l.locked(), threading.RLock().acquire()`
    expect(await together(code)).toEqual([
      "('RuntimeError', True, True, 'ValueError', 'ValueError', 'ValueError', None, False, True)",
    ])
  })

  test('events, conditions, semaphores and barriers', async () => {
    expect(await together('result = event.wait(), event.wait(0.01)', 'wait()\nevent.set()')).toEqual(['(True, True)', 'None'])
    expect(await together('event.clear()\nresult = event.wait(0.01)')).toEqual(['False'])
    expect(
      await together(
        'with condition:\n    result = condition.wait_for(lambda: len(log) == 1)\nlog.clear()',
        'with condition:\n    wait()\n    log.append(1)\n    condition.notify()',
      ),
    ).toEqual(['True', 'None'])
    const limited = 'with semaphore:\n    log.append(1)\n    most = len(log)\n    wait()\n    log.pop()\nresult = most <= 2'
    expect(await together(limited, limited, limited, limited)).toEqual(Array(4).fill('True'))
    const meets = 'result = barrier.wait() in (0, 1, 2)'
    expect(await together(meets, meets, meets)).toEqual(Array(3).fill('True'))
  })

  test('queues', async () => {
    const answers = await together(
      'result = [queue.get() for _ in range(4)], simple.get(), simple.get()',
      'for n in range(4): queue.put(n)\nsimple.put("a")\nwait()\nsimple.put("b")',
      'import queue as q\ntry: queue.get(timeout=0.01) if False else q.Queue().get(timeout=0.01)\nexcept q.Empty: result = "empty"',
    )
    expect(answers).toEqual(["([0, 1, 2, 3], 'a', 'b')", 'None', 'empty'])
  })

  test('logging, whose handlers have locks', async () => {
    const code = `import logging
class Slow(logging.Handler):
    def emit(self, record):
        log.append('begin'); wait(); log.append('end')
logger = logging.getLogger('slow')
if not logger.handlers: logger.addHandler(Slow())
logger.warning('x')
result = log[:]`
    const answers = await together(code, code)
    expect(answers[1]).toBe("['begin', 'end', 'begin', 'end']")
    await together('log.clear()')
  })

  test('a module is whole for everybody who imports it, and imported once', async () => {
    const code = `import slow_module
result = slow_module.ready, slow_module.count`
    const finder = `import importlib.abc, importlib.machinery
class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    count = 0
    def find_spec(self, name, path, target=None):
        if name == 'slow_module': return importlib.machinery.ModuleSpec(name, self)
    def create_module(self, spec): return None
    def exec_module(self, module):
        Finder.count += 1
        module.count = Finder.count
        uwsgi.suspend()
        module.ready = True
sys.meta_path.insert(0, Finder())`
    await together(finder)
    expect(await together(code, code, code)).toEqual(Array(3).fill('(True, 1)'))
  })

  test('a wait that is given up leaves the lock to the next', async () => {
    let cancel = (): void => {}
    const holder = server.begin(`${setUp}with lock:\n    wait()`)
    await settle()
    const given = server.begin(`${setUp}lock.acquire()`, {
      onOpen: (request) => {
        cancel = () => request.onCancel?.({ message: 'too long' } as never)
      },
    })
    const next = server.begin(`${setUp}with lock: result = 'next'`)
    await settle()
    cancel()
    await settle()
    server.resume()
    await holder
    await given
    expect((await next).text).toBe('next')
    expect(await together('result = lock.locked()')).toEqual(['False'])
  })

  test.each(['Lock', 'RLock'])(
    'a wait for a condition that is given up while somebody else has its %s leaves it to them',
    async (kind) => {
      let cancel = (): void => {}
      await together(`shared.inner = threading.${kind}()\nshared.outer = threading.Condition(shared.inner)`)
      const given = server.begin(
        `${setUp}try:\n    with outer: outer.wait()\nexcept Exception as e: log.append(repr(e))\nexcept BaseException: log.append('given up')`,
        {
          onOpen: (request) => {
            cancel = () => request.onCancel?.({ message: 'too long' } as never)
          },
        },
      )
      await settle()
      const holder = server.begin(`${setUp}with inner:\n    wait()\n    result = inner.locked(), log[:]; log.clear()`)
      await settle()
      cancel()
      await given
      await settle()
      server.resume()
      expect((await holder).text).toBe("(True, ['given up'])")
      expect(await together('result = inner.locked()')).toEqual(['False'])
    },
  )

  test.each(['time.sleep(1000)', 'event.clear(); event.wait(1000)'])(
    '%s leaves no timer behind when it is given up',
    async (code) => {
      const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
      let cancel = (): void => {}
      const before = timers()
      const given = server.begin(`${setUp}${code}`, {
        onOpen: (request) => {
          cancel = () => request.onCancel?.({ message: 'too long' } as never)
        },
      })
      await settle()
      expect(timers()).toBe(before + 1)
      cancel()
      await given
      await settle()
      expect(timers()).toBe(before)
    },
  )

  test('sleeping gives way, and is as long as was asked for', async () => {
    // All three begin in the same turn of the event loop; whose timer is first is not said.
    const code =
      'start = time.monotonic()\ntime.sleep(0.05)\nlog.append(1)\nresult = min(time.monotonic() - start, 0.05), len(log)'
    const [first, second, other] = await together(code, code, 'result = len(log)')
    expect(other).toBe('0')
    expect([first, second].sort()).toEqual(['(0.05, 1)', '(0.05, 2)'])
    await together('log.clear()')
  })
})

test('code that cannot be suspended does not wait for ever for a lock that a suspended core holds', async () => {
  const holder = server.begin(`${setUp}with lock:\n    wait()`)
  await settle()
  const code = `${setUp}
class Asks:
    def __float__(self): return float(lock.acquire(timeout=0.001)) + lock.acquire()
time.sleep(Asks())`
  expect((await server.begin(code)).text).toMatch(/^RuntimeError: deadlock: /)
  server.resume()
  await holder
  expect(await together('result = lock.locked()')).toEqual(['False'])
})
