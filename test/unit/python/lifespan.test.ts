// What an application is taken for when it is loaded, and the lifespan of those that have one.
import { afterEach, expect, test } from 'vitest'
import { AppLoadError } from '../../../host/errors.ts'
import { appPath, PythonServer } from './python-harness.ts'

const servers: PythonServer[] = []

const boot = async (file: string, kind?: 'mule'): Promise<PythonServer> => {
  const server = await PythonServer.boot(file)
  if (kind !== undefined) Object.assign(server.harness.context.thread, { kind })
  servers.push(server)
  return server
}

afterEach(() => {
  for (const server of servers.splice(0)) server.harness.close()
})

const load = async (server: PythonServer, file: string, callable: string): Promise<string> => {
  server.takeLog()
  try {
    await server.harness.mount(appPath(file), `/${callable}`, callable)
  } catch (error) {
    if (error instanceof AppLoadError) return error.message
    throw error
  }
  const line = server.harness.logLines.find((text) => text.startsWith('python: ') && text.includes(`${file} is `))
  return line?.slice(line.indexOf(file) + file.length + 1) ?? 'WSGI'
}

test('what an application is, is seen from its parameters and from whether it is a coroutine function', async () => {
  const server = await boot('asyncio_kinds.py')
  const kinds: Record<string, string[]> = {
    'is an ASGI application, without lifespan': ['asgi_function', 'asgi_any', 'asgi_defaults', 'asgi_object', 'asgi_method'],
    'is an ASGI application': ['asgi_plain', 'asgi_partial', 'ring'],
    'is an async WSGI application': ['async_wsgi', 'async_wsgi_generator', 'async_wsgi_partial', 'async_wsgi_decorated'],
    WSGI: ['wsgi_function', 'wsgi_any', 'wsgi_three', 'wsgi_object', 'WsgiClass', 'built_in'],
  }
  for (const [kind, names] of Object.entries(kinds)) {
    for (const name of names) expect(await load(server, 'asyncio_kinds.py', name), name).toMatch(kind)
  }
  const refused = {
    one_parameter:
      "'one_parameter' is a coroutine function of 1 parameters: an ASGI application takes (scope, receive, send), an asynchronous WSGI application (environ, start_response)",
    asgi2_function:
      "'asgi2_function' takes a scope alone, as applications of ASGI 2 do: only ASGI 3 is served, an application that takes (scope, receive, send); asgiref.compatibility.guarantee_single_callable() makes one of it",
    Asgi2Class: "'Asgi2Class' takes a scope alone",
  }
  for (const [name, message] of Object.entries(refused)) {
    expect(await load(server, 'asyncio_kinds.py', name)).toContain(`: ${message}`)
  }
})

test('an application starts up before its first request, and shuts down at the end of the thread', async () => {
  const server = await boot('lifespan.py')
  expect(await load(server, 'lifespan.py', 'keeps_state')).toBe('is an ASGI application with lifespan')
  expect((await server.ask('keeps_state')).text).toBe('1 2')
  // The namespace is copied for each request, what is in it is not.
  expect((await server.ask('keeps_state')).text).toBe('2 2')
  server.takeLog()
  server.harness.close()
  expect(server.takeLog()).toEqual(['shut down after 2 requests'])
})

test('an application whose startup fails is not loaded, with its message', async () => {
  const server = await boot('lifespan.py')
  expect(await load(server, 'lifespan.py', 'fails')).toMatch(/lifespan\.py: its startup failed: StartupFailed: no database$/)
  expect(server.takeLog().join('\n')).not.toContain('the cause')
})

test('an application that raises for a lifespan goes without', async () => {
  const server = await boot('lifespan.py')
  expect(await load(server, 'lifespan.py', 'raises_first')).toBe(
    'is an ASGI application, without lifespan (ValueError: what is a lifespan?)',
  )
  expect((await server.ask('raises_first')).text).toBe('False')
})

test('a lifespan that fails after the startup is logged, and requests are served', async () => {
  const server = await boot('lifespan.py')
  expect(await load(server, 'lifespan.py', 'raises_later')).toBe('is an ASGI application with lifespan')
  expect(server.takeLog().join('\n')).toMatch(/python: the lifespan of the application failed: .*ValueError: in the lifespan/s)
  expect((await server.ask('raises_later')).text).toBe('served')
})

test('what a lifespan says out of order is refused', async () => {
  const server = await boot('lifespan.py')
  await server.harness.mount(appPath('lifespan.py'), '', 'says_nonsense')
  expect(server.takeLog()).toContain(
    "unexpected ASGI message 'lifespan.shutdown.complete': 'lifespan.startup.complete' is expected",
  )
})

test('a shutdown that fails is logged', async () => {
  const server = await boot('lifespan.py')
  await load(server, 'lifespan.py', 'fails_to_end')
  server.harness.close()
  expect(server.takeLog()).toContain('python: the application failed to shut down: still busy')
})

test('a shutdown that does not end is given up', async () => {
  const server = await boot('lifespan.py')
  await load(server, 'lifespan.py', 'never_ends')
  server.harness.close()
  expect(server.takeLog()).toContain('python: the application has not shut down in 5 seconds')
})

test('tasks that still run at the end of the thread are cancelled, after the shutdown', async () => {
  const server = await boot('lifespan.py')
  expect(await load(server, 'lifespan.py', 'leaves_tasks')).toBe('is an ASGI application with lifespan')
  expect((await server.ask('leaves_tasks')).text).toBe('left')
  server.takeLog()
  server.harness.close()
  expect(server.takeLog()).toEqual(['shutting down', 'cancelled, and ended'])
})

test('threads that serve no requests begin no lifespan', async () => {
  const server = await boot('lifespan.py', 'mule')
  expect(await load(server, 'lifespan.py', 'fails')).toBe('is an ASGI application')
})
