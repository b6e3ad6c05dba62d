// wsgiref.validate wrapped around applications: it raises for any breach of PEP 3333 by the application or by us.
import { beforeAll, expect, test } from 'vitest'
import { WholeBody } from '../../../host/request/body.ts'
import { PythonServer } from './python-harness.ts'

let server: PythonServer

beforeAll(async () => {
  server = await PythonServer.boot('validated.py')
})

test('has nothing to say of a simple response', async () => {
  expect(await server.ask('simple')).toMatchObject({ status: '200 OK', text: 'valid', result: 0 })
})

class PulledBody extends WholeBody {
  override get whole(): undefined {
    return undefined
  }
}

test.each([
  ['whole', (text: string) => ({ body: text })],
  ['pulled', (text: string) => ({ bodySource: new PulledBody(Buffer.from(text)) })],
])('has nothing to say of a %s body that is read in every way, nor of wsgi.errors', async (_how, source) => {
  server.takeLog()
  const text = 'first line\nsecond line\nrest'
  const response = await server.ask('reads', { method: 'POST', ...source(text) })
  expect(response).toMatchObject({ status: '201 Created', text, result: 0 })
  expect(server.takeLog()).toEqual(['a line', 'two pieces'])
})

test('has nothing to say of write() and a streamed response', async () => {
  expect(await server.ask('streams')).toMatchObject({ text: 'wxy', result: 0 })
})

test('has nothing to say of a response without a body', async () => {
  expect(await server.ask('empty', { method: 'HEAD' })).toMatchObject({ status: '204 No Content', text: '', result: 0 })
})

test('left nothing in the log', () => {
  expect(server.takeLog()).toEqual([])
})
