// asyncio in plain code: loops of its own, which park the thread while they wait.
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { PythonServer, probe } from './python-harness.ts'

let server: PythonServer

beforeAll(async () => {
  server = await PythonServer.boot('runs_loops.py')
})

beforeEach(() => void server.takeLog())

const run = async (...lines: string[]): Promise<string> => await probe(server, lines.join('\n'))

test('asyncio.run() runs a coroutine to its end, with timers', async () => {
  expect(
    await run(
      'async def main():',
      '    begin = asyncio.get_running_loop().time()',
      '    await asyncio.sleep(0.02)',
      '    return asyncio.get_running_loop().time() - begin >= 0.02',
      'result = asyncio.run(main())',
    ),
  ).toBe('True')
})

test.each([
  ['gather', 'await asyncio.gather(asyncio.sleep(0.002, 1), asyncio.sleep(0.001, 2))', '[1, 2]'],
  ['wait_for', 'await asyncio.wait_for(asyncio.sleep(3600), 0.001)', 'TimeoutError: '],
  [
    'shield and cancel',
    '(t := asyncio.create_task(asyncio.sleep(3600)), t.cancel("why"), (await asyncio.wait([t]))[0].pop().cancelled())[2]',
    'True',
  ],
  ['to_thread', 'await asyncio.to_thread(lambda a, b: a + b, 1, b=2)', '3'],
  ['run_in_executor', 'await asyncio.get_running_loop().run_in_executor(None, divmod, 7, 2)', '(3, 1)'],
  ['an exception in an executor', 'await asyncio.to_thread(lambda: 1 / 0)', 'ZeroDivisionError: division by zero'],
  ['call_soon_threadsafe', 'await soon()', 'called'],
  ['Queue', 'await queue()', '[0, 1, 2]'],
  ['Lock and Semaphore', 'await locks()', '[1, 2, 3, 4]'],
  ['Event', 'await event()', 'True'],
  ['TaskGroup', 'await group()', '[1, 2]'],
  ['timeout', 'await timing_out()', 'timed out'],
  ['async generators', 'await generators()', "[0, 'closed']"],
  ['current_task', 'asyncio.current_task() in asyncio.all_tasks()', 'True'],
  ['a task factory', 'await factory()', 'made'],
])('%s works', async (_, expression, expected) => {
  const helpers = `
async def soon():
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    loop.call_soon_threadsafe(future.set_result, "called")
    return await future
async def queue():
    q = asyncio.Queue(1)
    async def put():
        for n in range(3): await q.put(n)
    t = asyncio.create_task(put())
    return [await q.get() for _ in range(3)]
async def locks():
    lock, semaphore, order = asyncio.Lock(), asyncio.Semaphore(2), []
    async def work(n):
        async with semaphore, lock:
            await asyncio.sleep(0)
            order.append(n)
    await asyncio.gather(*map(work, (1, 2, 3, 4)))
    return order
async def event():
    e = asyncio.Event()
    asyncio.get_running_loop().call_later(0.001, e.set)
    return await e.wait()
async def group():
    async with asyncio.TaskGroup() as g:
        tasks = [g.create_task(asyncio.sleep(0.001, n)) for n in (1, 2)]
    return [t.result() for t in tasks]
async def timing_out():
    try:
        async with asyncio.timeout(0.001): await asyncio.sleep(3600)
    except TimeoutError: return "timed out"
async def generators():
    seen = []
    async def g():
        try:
            yield 0
        finally:
            seen.append("closed")
    i = g()
    seen.append(await anext(i))
    await asyncio.get_running_loop().shutdown_asyncgens()
    return seen
async def factory():
    loop = asyncio.get_running_loop()
    loop.set_task_factory(lambda loop, coro, **k: asyncio.Task(coro, loop=loop, name="made"))
    return asyncio.create_task(asyncio.sleep(0)).get_name()
async def main():
    return ${expression}
result = asyncio.run(main())`
  expect(await run(helpers)).toBe(expected)
})

test.each([
  [
    'await asyncio.start_server(print, "127.0.0.1", 0)',
    'NotImplementedError: create_server() is not possible in this server: the server itself listens, with its options `http` and `socket`',
  ],
  [
    'await asyncio.create_subprocess_exec("ls")',
    'NotImplementedError: no process can be started in this server: use a mule or the spooler',
  ],
  [
    'asyncio.get_running_loop().add_signal_handler(15, print)',
    'NotImplementedError: add_signal_handler() is not possible in this server: use uwsgi.register_signal()',
  ],
  [
    'await asyncio.get_running_loop().sock_recv(None, 5)',
    "NotImplementedError: sock_recv() is not possible in this server: there are no sockets but uwsgi.async_connect()'s",
  ],
])('%s is refused', async (expression, error) => {
  expect(await run(`async def main(): return ${expression}`, 'result = asyncio.run(main())')).toBe(error)
})

test('loops may be made, driven by hand and closed', async () => {
  expect(
    await run(
      'loop = asyncio.new_event_loop()',
      'result = loop.run_until_complete(asyncio.sleep(0.001, 5)), loop.is_running()',
      'loop.close()',
    ),
  ).toBe('(5, False)')
  expect(
    await run(
      'with asyncio.Runner() as runner:',
      '    result = runner.run(asyncio.sleep(0, 1)), runner.run(asyncio.sleep(0, 2))',
    ),
  ).toBe('(1, 2)')
})

test('a loop inside of a loop is refused, as asyncio does it', async () => {
  expect(
    await run(
      'async def main():',
      '    asyncio.new_event_loop().run_until_complete(asyncio.sleep(0))',
      'result = asyncio.run(main())',
    ),
  ).toBe('RuntimeError: Cannot run the event loop while another loop is running')
})

test('thousands of timers that are cancelled leave nothing behind', async () => {
  expect(
    await run(
      'async def main():',
      '    for _ in range(3000):',
      '        async with asyncio.timeout(3600): await asyncio.sleep(0)',
      '    return len(asyncio.get_running_loop()._scheduled) < 300',
      'result = asyncio.run(main())',
    ),
  ).toBe('True')
})

test('with many cores, loops of several requests wait at the same time', async () => {
  const cores = await PythonServer.boot('runs_loops.py', { cores: 20 })
  const code = `async def main():
    shared.append(asyncio.current_task())
    while len(shared) < 20:
        await asyncio.sleep(0.001)
    return asyncio.current_task() in shared
result = asyncio.run(main())`
  const answers = await Promise.all(Array.from({ length: 20 }, () => probe(cores, code)))
  expect(new Set(answers)).toEqual(new Set(['True']))
})
