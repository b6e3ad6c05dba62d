// The WSAPI calling convention: what an app gets, and every form of what it may return.
import { beforeAll, describe, expect, it } from 'vitest'
import { ClientError } from '../../../host/errors.ts'
import type { PluginHarness } from '../../support/plugin-harness.ts'
import { appFile, bootLua, mountSource } from './fixture.ts'

let harness: PluginHarness
beforeAll(async () => {
  harness = await bootLua()
})

const serve = async (source: string, request: Parameters<PluginHarness['request']>[0] = {}) => {
  const mountpoint = await mountSource(harness, source)
  harness.logLines.length = 0
  return harness.request({ mountpoint, ...request })
}

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')

describe('the request', () => {
  it('reaches the app as a table of its variables, all strings', async () => {
    await harness.mount(appFile('environ.lua'), '/environ')
    const response = await harness.request({
      mountpoint: '/environ',
      path: '/a/b',
      query: 'x=1',
      method: 'PUT',
      vars: { HTTP_X_TEST: 'yes' },
    })
    const lines = response.text.split('\n')
    expect(lines).toContain('REQUEST_METHOD=PUT')
    expect(lines).toContain('SCRIPT_NAME=/environ')
    expect(lines).toContain('PATH_INFO=/a/b')
    expect(lines).toContain('QUERY_STRING=x=1')
    expect(lines).toContain('HTTP_X_TEST=yes')
    expect(lines).toContain('CONTENT_LENGTH=')
    expect(lines).toHaveLength(15)
  })

  it('keeps every byte of a variable, NUL and 0xff included', async () => {
    const value = `\x00${String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte))}\xff`
    const response = await serve('return function(env) return 200, {}, env.HTTP_X_BYTES end', { vars: { HTTP_X_BYTES: value } })
    expect(latin1(response.body)).toBe(value)
  })

  it('gives the app a fresh table each time', async () => {
    const source = `return function(env)
      local seen = env.seen
      env.seen, env.PATH_INFO = 'yes', nil
      return 200, {}, tostring(seen)
    end`
    const mountpoint = await mountSource(harness, source)
    expect((await harness.request({ mountpoint })).text).toBe('nil')
    expect((await harness.request({ mountpoint })).text).toBe('nil')
  })

  it('cannot replace env.input or env.error by variables of these names', async () => {
    const response = await serve('return function(env) return 200, {}, type(env.input) .. type(env.error) end', {
      vars: { input: 'x', error: 'y' },
    })
    expect(response.text).toBe('userdatauserdata')
  })
})

describe('status and headers', () => {
  it.each([
    ['200', '200 OK'],
    ['404', '404 Not Found'],
    ["'404'", '404 Not Found'],
    ["'299 Fine With Me'", '299 Fine With Me'],
    ['200.0', '200 OK'],
  ])('status %s is sent as %s', async (status, sent) => {
    expect((await serve(`return function() return ${status}, {}, '' end`)).status).toBe(sent)
  })

  it('sends numbers and arrays of values, one line per array element in its order', async () => {
    const response = await serve(`return function()
      return 200, { ['Content-Length'] = 2, ['X-Half'] = 0.5, ['X-Whole'] = 10 / 2, ['Set-Cookie'] = { 'a=1', 'b=2', 3 }, ['X-None'] = {} }, 'ok'
    end`)
    expect(response.headers.toSorted()).toEqual([
      ['Content-Length', '2'],
      ['Set-Cookie', '3'],
      ['Set-Cookie', 'a=1'],
      ['Set-Cookie', 'b=2'],
      ['X-Half', '0.5'],
      ['X-Whole', '5'],
    ])
    expect(response.headers.filter(([name]) => name === 'Set-Cookie').map(([, value]) => value)).toEqual(['a=1', 'b=2', '3'])
  })

  it('keeps bytes above 0x7f in header values', async () => {
    const response = await serve(`return function() return 200, { ['X-Bytes'] = 'caf\\xe9\\xff' }, '' end`)
    expect(response.headers).toEqual([['X-Bytes', 'caf\xe9\xff']])
  })

  it('follows an app whose headers change from request to request', async () => {
    const source = `local n = 0
    local answers = {
      { 200, { A = '1', B = '2' } }, { 200, { A = '1', B = '2' } }, { 404, { A = '1', B = '2' } }, { 404, { A = '1' } },
      { 404, {} }, { 200, { A = 5 } }, { 200, { A = 5.0 } }, { '200 Fine', { A = { 5 } } }, { 200, { A = '5' } }, { 200, {} },
    }
    return function() n = n + 1 return answers[n][1], answers[n][2], 'x' end`
    const mountpoint = await mountSource(harness, source)
    const seen: string[] = []
    for (let index = 0; index < 10; index += 1) {
      const { status, headers } = await harness.request({ mountpoint })
      seen.push([status, ...headers.map((header) => header.join('=')).toSorted()].join(' '))
    }
    expect(seen).toEqual([
      '200 OK A=1 B=2',
      '200 OK A=1 B=2',
      '404 Not Found A=1 B=2',
      '404 Not Found A=1',
      '404 Not Found',
      '200 OK A=5',
      '200 OK A=5',
      '200 Fine A=5',
      '200 OK A=5',
      '200 OK',
    ])
  })

  it('sends right headers again after a request that failed half way through them', async () => {
    const source = `local n = 0
    return function()
      n = n + 1
      if n == 2 then return 200, { A = '9', B = true }, 'x' end
      return 200, { A = '1', B = '2' }, 'x'
    end`
    const mountpoint = await mountSource(harness, source)
    const first = await harness.request({ mountpoint })
    expect((await harness.request({ mountpoint })).status).toBe('500 Internal Server Error')
    const third = await harness.request({ mountpoint })
    expect(third.headers.toSorted()).toEqual(first.headers.toSorted())
    expect(third.headers.toSorted()).toEqual([
      ['A', '1'],
      ['B', '2'],
    ])
  })

  it.each([
    ['nil, {}, ""', 'the status must be a string or a whole number, the app returned nothing'],
    ['{}, {}, ""', 'the status must be a string or a whole number, the app returned a table'],
    ['200.5, {}, ""', 'the status must be a string or a whole number, the app returned a number'],
    ["'OK', {}, ''", '"OK" is not a status'],
    ['20, {}, ""', '"20" is not a status'],
    ['200, nil, ""', 'the headers must be a table, the app returned nothing'],
    ["200, 'x', ''", 'the headers must be a table, the app returned a string'],
    ['200, {"x"}, ""', 'a header name must be a string, the app returned a number'],
    ['200, {["X-A"] = true}, ""', "header 'X-A' must be a string, a number or an array of these, the app returned a boolean"],
    ['200, {["X-A"] = {{}}}, ""', "header 'X-A' must be a string, a number or an array of these, the app returned a table"],
    ['200, {["X A"] = "1"}, ""', '"X A" is not a header name'],
    ['200, {["X-A"] = "1\\r\\nX-Forged: 2"}, ""', 'the value of header X-A holds a character that HTTP does not allow'],
    ['200, {["X-A"] = "1\\0X-Forged\\0002"}, ""', 'a header name or value holds a NUL byte'],
    ['200, {["X-A\\0b"] = "1\\0X-C"}, ""', 'a header name or value holds a NUL byte'],
    ['200, {}', 'the body must be an iterator function or a string, the app returned nothing'],
    ['200, {}, 5', 'the body must be an iterator function or a string, the app returned a number'],
    ['200, {}, {}', 'the body must be an iterator function or a string, the app returned a table'],
    ['200, {}, function() return 5 end', "the body's iterator must return strings, then nil; it returned a number"],
    ['200, {}, function() return false end', "the body's iterator must return strings, then nil; it returned a boolean"],
  ])('answers 500 and logs why when the app returns %s', async (returned, message) => {
    const response = await serve(`return function() return ${returned} end`)
    expect(response.status).toBe('500 Internal Server Error')
    expect(response.text).toBe('Internal Server Error')
    expect(response.headers).toEqual([['Content-Type', 'text/plain']])
    expect(response.result).toBe(-1)
    expect(harness.logLines.join('\n')).toContain(message)
  })

  it('refuses a forged header again when it comes a second time', async () => {
    const mountpoint = await mountSource(harness, `return function() return 200, { X = '1\\0Y\\0002' }, '' end`)
    expect((await harness.request({ mountpoint })).status).toBe('500 Internal Server Error')
    expect((await harness.request({ mountpoint })).status).toBe('500 Internal Server Error')
  })
})

describe('the body', () => {
  it('may be a string with any bytes', async () => {
    const response = await serve(`return function() return 200, {}, '\\0\\xff\\xfe\\0\\n' end`)
    expect(latin1(response.body)).toBe('\0\xff\xfe\0\n')
    expect(response.chunks).toHaveLength(1)
  })

  it('may be of several megabytes', async () => {
    const response = await serve(`return function() return 200, {}, ('\\xfe0123456789abcde'):rep(1 << 17) end`)
    expect(response.body).toHaveLength(2 * 1024 * 1024)
    expect(latin1(response.body.subarray(-16))).toBe('\xfe0123456789abcde')
  })

  it('comes from an iterator chunk by chunk, empty chunks left out', async () => {
    const response = await serve(`return function()
      local chunks = { 'one', '', 'two', '\\0' }
      local index = 0
      return 200, {}, function() index = index + 1 return chunks[index] end
    end`)
    expect(response.chunks.map(latin1)).toEqual(['one', 'two', '\0'])
  })

  it('comes from a coroutine, as in the uWSGI documentation', async () => {
    await harness.mount(appFile('hello.lua'), '/hello')
    const response = await harness.request({ mountpoint: '/hello', path: '/world' })
    expect(response.status).toBe('200 OK')
    expect(response.headers).toEqual([['Content-Type', 'text/plain']])
    expect(response.chunks.map(latin1)).toEqual(['Hello from ', '/world'])
    expect(response.result).toBe(0)
  })

  it('comes from an object that can be called', async () => {
    const response = await serve(`return function()
      local left = 2
      local object = setmetatable({}, { __call = function(self) left = left - 1 return left >= 0 and 'x' .. left or nil end })
      return 200, {}, object
    end`)
    expect(response.text).toBe('x1x0')
  })

  it('ends when a finished coroutine is resumed, as in uWSGI', async () => {
    const response = await serve(`return function()
      return 200, {}, coroutine.wrap(function() coroutine.yield('a') return 'b' end)
    end`)
    expect(response.text).toBe('ab')
    expect(response.result).toBe(0)
    const wrapped = await serve(`return function()
      local generate = coroutine.wrap(function() coroutine.yield('a') return 'b' end)
      return 200, {}, function() return (generate()) end
    end`)
    expect(wrapped.text).toBe('ab')
    expect(wrapped.result).toBe(0)
    expect(harness.logLines).toEqual([])
  })

  it('is sent chunk by chunk: the iterator is asked for the next one after the last has gone', async () => {
    const source = `local asked = 0
    return function(env)
      if env.QUERY_STRING == 'asked' then return 200, {}, tostring(asked) end
      asked = 0
      return 200, { ['Content-Length'] = 6 }, function() asked = asked + 1 return asked <= 3 and 'x' .. asked or nil end
    end`
    const mountpoint = await mountSource(harness, source)
    const askedWhenSent: (string | undefined)[] = []
    const response = await harness.request({
      mountpoint,
      onSend: (chunk) => void askedWhenSent.push(chunk && latin1(chunk)),
    })
    expect(response.text).toBe('x1x2x3')
    expect(askedWhenSent).toEqual(['x1', 'x2', 'x3'])
    expect((await harness.request({ mountpoint, query: 'asked' })).text).toBe('4')
  })

  it('goes out in one message with the head and the end when its first chunk is as long as Content-Length says', async () => {
    const sends: (string | undefined)[] = []
    const onSend = (chunk: Uint8Array | undefined): void => void sends.push(chunk && latin1(chunk))
    await serve(
      `return function() return 200, { ['content-length'] = '5' }, coroutine.wrap(function() coroutine.yield('hello') end) end`,
      {
        onSend,
      },
    )
    expect(sends).toEqual(['hello'])
    sends.length = 0
    await serve(`return function() return 200, {}, coroutine.wrap(function() coroutine.yield('hello') end) end`, { onSend })
    expect(sends).toEqual(['hello', undefined])
  })

  it('lets the iterator run to its end after the last byte of Content-Length', async () => {
    const response = await serve(`return function()
      return 200, { ['Content-Length'] = '5' }, coroutine.wrap(function() coroutine.yield('hello') print('closed') end)
    end`)
    expect(response.text).toBe('hello')
    expect(harness.logLines).toEqual(['closed'])
  })

  it.each([
    [5, `coroutine.wrap(function() while true do coroutine.yield('hello') end end)`, 'hello'],
    [7, `coroutine.wrap(function() while true do coroutine.yield('hello') end end)`, 'hellohe'],
    [0, `coroutine.wrap(function() while true do coroutine.yield('hello') end end)`, ''],
    [4, `'hello'`, 'hell'],
  ])('is cut and reported when it goes on after a Content-Length of %i', async (length, body, sent) => {
    const response = await serve(`return function() return 200, { ['Content-Length'] = ${length} }, ${body} end`)
    expect(response.text).toBe(sent)
    expect(response.result).toBe(-1)
    expect(harness.logLines.join()).toContain("the body is longer than the app's Content-Length")
  })

  it('may be shorter than Content-Length says', async () => {
    const response = await serve(`return function() return 200, { ['Content-Length'] = 100 }, '' end`)
    expect(response.text).toBe('')
    expect(response.result).toBe(0)
  })

  it('is no longer asked for when the client has gone', async () => {
    let sent = 0
    const response = await serve(`return function() return 200, {}, function() return 'tick' end end`, {
      onSend: (chunk) => {
        if (chunk !== undefined) sent += 1
        if (chunk !== undefined && sent === 3) throw new ClientError('CLIENT_GONE', 'the client closed its connection')
      },
    })
    expect(sent).toBe(3)
    expect(response.chunks).toHaveLength(2)
    expect(harness.logLines).toEqual([])
  })
})

describe('an error in the app', () => {
  beforeAll(async () => {
    await harness.mount(appFile('failing.lua'), '/failing')
  })

  const fail = async (query: string) => {
    harness.logLines.length = 0
    return harness.request({ mountpoint: '/failing', query })
  }

  it('answers 500 and logs message and traceback with file and line', async () => {
    const response = await fail('call')
    expect(response.status).toBe('500 Internal Server Error')
    expect(response.text).toBe('Internal Server Error')
    expect(response.result).toBe(-1)
    const log = harness.logLines.join('\n')
    expect(log).toMatch(/^lua app .*\/failing\.lua: .*failing\.lua:6: attempt to index a nil value \(local 'nothing'\)$/m)
    expect(log).toMatch(/^stack traceback:$/m)
    expect(log).toMatch(/failing\.lua:6: in field/)
    expect(log).toMatch(/failing\.lua:27: in/)
    expect(log).not.toContain('(polywsgi)')
  })

  it('with a value that is no string is described as the Lua interpreter does', async () => {
    await fail('object')
    expect(harness.logLines[0]).toContain('(error object is a table value)')
    await fail('tostring')
    expect(harness.logLines[0]).toContain('an error of its own kind')
  })

  it('before the first chunk answers 500 and sends nothing of what was prepared', async () => {
    const response = await fail('early')
    expect(response.status).toBe('500 Internal Server Error')
    expect(response.headers).toEqual([['Content-Type', 'text/plain']])
    expect(harness.logLines.join('\n')).toMatch(/failing\.lua:21: before the first chunk/)
  })

  it('in the middle of the body cuts the response', async () => {
    const response = await fail('stream')
    expect(response.status).toBe('200 OK')
    expect(response.text).toBe('first')
    expect(response.result).toBe(-1)
    expect(harness.logLines.join('\n')).toMatch(/failing\.lua:16: in the middle/)
  })

  it('that yields outside a coroutine is named so', async () => {
    const response = await fail('yield')
    expect(response.status).toBe('500 Internal Server Error')
    expect(harness.logLines.join('\n')).toMatch(
      /attempt to yield from outside a coroutine\nstack traceback:[\s\S]*failing\.lua:24: in[\s\S]*failing\.lua:27: in/,
    )
  })

  it('leaves the app ready for the next request', async () => {
    for (const query of ['call', 'object', 'yield', 'stream', 'early', 'call']) await fail(query)
    const mountpoint = await mountSource(harness, `return function() return 200, {}, 'fine' end`)
    expect((await harness.request({ mountpoint })).text).toBe('fine')
  })

  it('keeps the bytes of its message in the log', async () => {
    const lines: Uint8Array[] = []
    const bytes = harness.context.log.bytes
    Object.assign(harness.context.log, { bytes: (line: Uint8Array) => void lines.push(Uint8Array.from(line)) })
    await serve(`return function() error('\\xff\\0\\xfe', 0) end`)
    Object.assign(harness.context.log, { bytes })
    expect(latin1(lines[0]!)).toContain(': \xff\0\xfe\nstack traceback')
  })

  it('closes variables marked <close> that it left open', async () => {
    await serve(`return function()
      local guard <close> = setmetatable({}, { __close = function() print('closed') end })
      error('on the way')
    end`)
    expect(harness.logLines).toContain('closed')
  })

  it('cannot put more than 16 KiB of message into the log', async () => {
    await serve(`return function() error(('x'):rep(1000000)) end`)
    expect(harness.logLines.join('\n').length).toBeLessThan(20_000)
  })
})

it('a request without an app is answered 500 and logged', async () => {
  harness.logLines.length = 0
  const response = await harness.request({ mountpoint: '/nowhere' })
  expect(response.status).toBe('500 Internal Server Error')
  expect(harness.logLines).toEqual(['lua: no app is mounted for this request'])
})
