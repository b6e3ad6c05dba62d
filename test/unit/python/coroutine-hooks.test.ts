// Hooks that are coroutine functions: the server waits for their end.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { PluginHarness } from '../../support/plugin-harness.ts'
import { plugin } from './guest.ts'
import { appPath } from './python-harness.ts'
import { Services } from './services.ts'

let services: Services
let harness: PluginHarness

beforeEach(async () => {
  services = new Services()
  harness = await PluginHarness.boot(plugin, { server: services.context({ kind: 'mule', workerId: 0, muleId: 1 }) })
  await harness.mount(appPath('hooks.py'))
  run('import asyncio')
})
afterEach(() => harness.close())

const run = (code: string) => Buffer.from(services.call('evaluate', Buffer.from(code)) ?? []).toString()
const calls = () => run('result = calls')

/** A coroutine function that waits, notes its name, and returns. */
const hook = (name: string, result = 'None', parameters = '') =>
  `async def hook(${parameters}):\n    await asyncio.sleep(0.001)\n    calls.append('${name}')\n    return ${result}\nuwsgi.${name} = hook`

test('post_fork_hook is waited for', async () => {
  run(hook('post_fork_hook'))
  const running = plugin.fixup?.(harness.context)
  expect(calls()).toBe('[]')
  await running
  expect(calls()).toBe("['post_fork_hook']")
})

test('post_fork_hook ends the thread by SystemExit, and is logged when it raises otherwise', async () => {
  run('async def hook():\n    await asyncio.sleep(0)\n    raise SystemExit(1)\nuwsgi.post_fork_hook = hook')
  await expect(plugin.fixup?.(harness.context)).rejects.toThrow('SystemExit: 1')
  run("async def hook():\n    await asyncio.sleep(0)\n    raise ValueError('no')\nuwsgi.post_fork_hook = hook")
  await plugin.fixup?.(harness.context)
  expect(harness.logLines.at(-1)).toBe('ValueError: no')
})

test('mule_msg_hook has handled its message when it has ended', async () => {
  run(hook('mule_msg_hook', 'None', 'message'))
  expect(await plugin.muleMsg?.(Buffer.from('message'))).toBe(true)
  expect(calls()).toBe("['mule_msg_hook']")
  run('async def hook(message):\n    await asyncio.sleep(0)\n    raise KeyError(message)\nuwsgi.mule_msg_hook = hook')
  await expect(plugin.muleMsg?.(Buffer.from('m'))).rejects.toThrow("KeyError: b'm'")
})

test("spooler answers with its coroutine's number", async () => {
  run(hook('spooler', 'uwsgi.SPOOL_OK', 'env'))
  expect(await plugin.spooler?.('/spool/job', new Map(), Buffer.from(''))).toBe(-2)
  run(hook('spooler', "'no number'", 'env'))
  expect(await plugin.spooler?.('/spool/job', new Map(), Buffer.from(''))).toBe(-1)
})

test('after_req_hook goes on after the request, and its exceptions are logged', async () => {
  run("async def hook():\n    await asyncio.sleep(0)\n    raise LookupError('late')\nuwsgi.after_req_hook = hook")
  await harness.request()
  while (harness.logLines.at(-1) !== 'LookupError: late') await new Promise((resolve) => setImmediate(resolve))
})

test('atexit is run to its end when the thread ends', () => {
  run("async def hook():\n    await asyncio.sleep(0.001)\n    print('at the end')\nuwsgi.atexit = hook")
  harness.close()
  expect(harness.logLines).toContain('at the end')
})

test('an atexit that does not end is given up', () => {
  run('async def hook(): await asyncio.sleep(3600)\nuwsgi.atexit = hook')
  harness.close()
  expect(harness.logLines).toContain('python: uwsgi.atexit has not ended in 5 seconds')
})
