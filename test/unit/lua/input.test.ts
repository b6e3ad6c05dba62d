// `env.input` and `env.error`: the request body in every form of reading, and the app's own lines in the log.
import { beforeAll, describe, expect, it } from 'vitest'
import { ClientError } from '../../../host/errors.ts'
import type { RequestBody } from '../../../host/request/body.ts'
import type { PluginHarness } from '../../support/plugin-harness.ts'
import { appFile, bootLua, mountSource } from './fixture.ts'

let harness: PluginHarness
beforeAll(async () => {
  harness = await bootLua()
})

/** Runs statements with the body at hand; they fill `out`, which is answered joined by `|`. */
const read = async (statements: string, request: Parameters<PluginHarness['request']>[0]) => {
  const mountpoint = await mountSource(
    harness,
    `return function(env)
  local input, out = env.input, {}
  local function put(value) out[#out + 1] = value == nil and 'nil' or value end
  ${statements}
  return 200, {}, table.concat(out, '|')
end`,
  )
  harness.logLines.length = 0
  return harness.request({ mountpoint, ...request })
}

/** A body that arrives in these pieces, whatever is asked for. */
const pieces = (contentLength: number, ...parts: (string | Error)[]): RequestBody & { asked: number[] } => {
  const asked: number[] = []
  const body = {
    contentLength,
    whole: undefined,
    asked,
    read: (max: number): Uint8Array => {
      asked.push(max)
      const part = parts.shift()
      if (part instanceof Error) throw part
      if (part === undefined) return new Uint8Array(0)
      if (part.length > max) parts.unshift(part.slice(max))
      return Buffer.from(part.slice(0, max), 'latin1')
    },
    readAsync: async (max: number) => body.read(max),
  }
  return body
}

describe('env.input', () => {
  it('reads all without a number, and then an empty string', async () => {
    expect((await read('put(input:read()) put(input:read()) put(input:read(1))', { body: 'hello' })).text).toBe('hello||nil')
  })

  it('reads at most n bytes, and nil at the end', async () => {
    const response = await read('for i = 1, 4 do put(input:read(2)) end', { body: 'hello' })
    expect(response.text).toBe('he|ll|o|nil')
  })

  it('reads nothing when asked for nothing', async () => {
    expect((await read('put(input:read(0)) put(input:read(9)) put(input:read(0))', { body: 'abc' })).text).toBe('|abc|')
  })

  it('reads the rest without a number after some was read', async () => {
    expect((await read('put(input:read(2)) put(input:read())', { body: 'hello' })).text).toBe('he|llo')
  })

  it("is also read the way uWSGI's Lua plugin documents: input.read(self, n)", async () => {
    expect((await read('put(input.read(input, 2)) put(input.read(nil, 2)) put(input.read())', { body: 'hello' })).text).toBe(
      'he|ll|o',
    )
  })

  it('gives nil or an empty string for a request without a body', async () => {
    expect((await read('put(input:read(5)) put(input:read())', {})).text).toBe('nil|')
  })

  it('keeps every byte', async () => {
    const body = Uint8Array.from({ length: 512 }, (_, index) => index & 0xff)
    await harness.mount(appFile('echo.lua'), '/echo')
    const response = await harness.request({ mountpoint: '/echo', method: 'POST', body })
    expect(response.body).toEqual(body)
    expect(response.headers).toContainEqual(['Content-Length', '512'])
  })

  it('takes and gives back a megabyte', async () => {
    const body = Uint8Array.from({ length: 1 << 20 }, (_, index) => (index * 31) & 0xff)
    const response = await harness.request({ mountpoint: '/echo', method: 'POST', body })
    expect(Buffer.compare(response.body, body)).toBe(0)
  })

  it('fills n bytes from a body that arrives in pieces', async () => {
    const bodySource = pieces(10, 'ab', 'cde', 'f', 'ghij')
    const response = await read('put(input:read(4)) put(input:read(5)) put(input:read(5)) put(input:read(5))', { bodySource })
    expect(response.text).toBe('abcd|efghi|j|nil')
  })

  it('reads a body of unknown length to its end', async () => {
    const part = 'x'.repeat(300_000)
    const response = await read('put(input:read(3)) put(#input:read()) put(input:read(3))', {
      bodySource: pieces(-1, 'abcd', part, part),
    })
    expect(response.text).toBe('abc|600001|nil')
  })

  it('does not reserve memory for a length that a client only promises', async () => {
    const bodySource = pieces(-1, 'short')
    expect((await read('put(input:read(1 << 50))', { bodySource })).text).toBe('short')
    expect(Math.max(...bodySource.asked)).toBeLessThanOrEqual(1 << 20)
  })

  it.each([
    ["'all'", 'env.input:read(): the number of bytes must be a number, not a string'],
    ['{}', 'env.input:read(): the number of bytes must be a number, not a table'],
    ['-1', 'env.input:read(): -1 is not a number of bytes'],
    ['1.5', 'env.input:read(): 1.5 is not a number of bytes'],
    ['0/0', 'env.input:read(): NaN is not a number of bytes'],
  ])('refuses to read %s bytes', async (amount, message) => {
    const response = await read(`put(select(2, pcall(input.read, input, ${amount})))`, { body: 'x' })
    expect(response.text).toBe(message)
  })

  it('raises in the app, where it can be caught, when the client leaves in the middle of the body', async () => {
    const gone = () => pieces(10, 'abc', new ClientError('CLIENT_GONE', 'the client closed its connection'))
    const caught = await read('local ok, message = pcall(input.read, input) put(tostring(ok)) put(message)', {
      bodySource: gone(),
    })
    expect(caught.text).toBe('false|the client closed its connection')
    const uncaught = await read('put(input:read())', { bodySource: gone() })
    expect(uncaught.status).toBe('500 Internal Server Error')
    expect(harness.logLines.join('\n')).toMatch(/app\.lua:4: the client closed its connection/)
  })

  it('belongs to the request under way, from any coroutine', async () => {
    const response = await read('put(coroutine.wrap(function() return input:read() end)())', { body: 'inner' })
    expect(response.text).toBe('inner')
  })

  it('cannot be used while no request is served', async () => {
    const source = `local kept
    return function(env)
      kept = kept or env.input
      return 200, {}, 'x'
    end`
    const mountpoint = await mountSource(harness, source)
    await harness.request({ mountpoint })
    await expect(mountSource(harness, `uwsgi.kept:read() return run`)).rejects.toThrow(/attempt to index a nil value/)
    await harness.request({
      mountpoint: await mountSource(harness, 'return function(env) uwsgi.kept = env.input return 200, {}, "" end'),
    })
    await expect(mountSource(harness, `uwsgi.kept:read() return run`)).rejects.toThrow(/env\.input: no request is being served/)
    await mountSource(harness, 'uwsgi.kept = nil return function() end')
  })

  it('cannot be changed by a guest', async () => {
    const response = await read(
      `put(tostring(pcall(function() input.read = nil end)))
       put(tostring(pcall(rawset, input, 'read', 1)))
       put(tostring(getmetatable(input)))
       put(tostring(pcall(setmetatable, input, {})))`,
      {},
    )
    expect(response.text).toBe('false|false|false|false')
  })
})

describe('env.error', () => {
  const write = async (statements: string): Promise<string[]> => {
    await read(`local err = env.error ${statements}`, {})
    return harness.logLines
  }

  it('writes whole lines to the log, whatever the pieces', async () => {
    expect(await write(`err:write('one\\ntw', 'o', 2, '\\n'):write('three')`)).toEqual(['one', 'two2', 'three'])
  })

  it('ends the last line with the request', async () => {
    expect(await write(`err:write('unfinished')`)).toEqual(['unfinished'])
    expect(await write(`err:flush()`)).toEqual([])
  })

  it('refuses what is neither string nor number', async () => {
    expect((await write(`err:write('a', {})`)).join('\n')).toContain(
      'env.error:write(): argument 2 must be a string or a number, not a table',
    )
  })

  it('cuts a line that never ends', async () => {
    const lines = await write(`err:write(('x'):rep(200000))`)
    expect(lines.map((line) => line.length)).toEqual([65_536, 65_536, 65_536, 3_392])
  })
})

describe('print', () => {
  it('writes a line of its arguments as tostring has them, separated by tabs', async () => {
    await read(
      `print('a', nil, 1, 1.0, true) print() print(setmetatable({}, { __tostring = function() return 'me' end }), nil)`,
      {},
    )
    expect(harness.logLines).toEqual(['a\tnil\t1\t1.0\ttrue', '', 'me\tnil'])
  })

  it('leaves bytes as they are', async () => {
    const lines: Uint8Array[] = []
    const { bytes } = harness.context.log
    Object.assign(harness.context.log, { bytes: (line: Uint8Array) => void lines.push(line) })
    await read(`print('\\xff\\0\\xfe')`, {})
    Object.assign(harness.context.log, { bytes })
    expect(lines).toEqual([Uint8Array.of(0xff, 0, 0xfe)])
  })
})
