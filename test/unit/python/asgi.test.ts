// ASGI applications in one thread: scope, messages in both directions, and how applications end.
import { beforeAll, expect, test } from 'vitest'
import { PythonServer, probe } from './python-harness.ts'

let server: PythonServer

beforeAll(async () => {
  server = await PythonServer.boot('asgi.py')
})

test('an application that waits for nothing answers at once', async () => {
  const response = await server.ask('hello')
  console.log(server.takeLog())
  expect(response.status).toBe('200 OK')
  expect(response.text).toBe('hello')
})

test('the scope', async () => {
  const response = await server.ask('show_scope', { path: '/a b/\u00c3\u00a9', query: 'x=1' })
  console.log(response.text, server.takeLog())
})
test('sleep', async () => {
  console.log(await probe(server, 'await asyncio.sleep(0.01)\nreturn 5'), server.takeLog())
  console.log(await probe(server, 'return await asyncio.gather(asyncio.sleep(0.01, 1), asyncio.wait_for(asyncio.sleep(9, 2), 0.01))'), server.takeLog())
})
