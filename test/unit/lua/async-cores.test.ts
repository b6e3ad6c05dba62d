// Many requests in one Lua state, each of which waits in the middle of what it does: what belongs to one is there when it goes
// on, whoever ran meanwhile.
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ClientError } from '../../../host/errors.ts'
import type { RequestBody } from '../../../host/request/body.ts'
import { AsyncLua, tick } from './async-fixture.ts'

let lua: AsyncLua
beforeAll(async () => {
  lua = await AsyncLua.boot(600)
})
beforeEach(() => {
  lua.parked.length = 0
  lua.requests.length = 0
  lua.harness.logLines.length = 0
})

/** A small generator of numbers, the same in every run. */
const numbers = (seed: number) => {
  let state = seed
  return (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state % below
  }
}

describe('five hundred requests at once', () => {
  it('each in coroutines three levels deep, go on in any order with what is theirs', async () => {
    const mountpoint = await lua.handler(`
      local id = env.QUERY_STRING
      local mine = uwsgi.current()
      local function check() if uwsgi.current() ~= mine then error('another request') end end
      local function level(n)
        return coroutine.wrap(function(a)
          local out = { a }
          for i = 1, 2 do
            out[#out + 1] = uwsgi.wait(id .. '.' .. n .. '.' .. i)
            check()
            if n > 1 then out[#out + 1] = level(n - 1)(a .. n) end
            check()
          end
          coroutine.yield(table.concat(out, ' '))
        end)
      end
      local body = level(3)('#' .. id)
      check()
      return 200, { ['X-Id'] = id, ['X-Path'] = env.PATH_INFO }, body .. ' ' .. env.QUERY_STRING`)
    const next = numbers(7)
    const answers = Array.from({ length: 500 }, (_, id) => lua.request({ mountpoint, query: `r${id}`, path: `/${id}` }))
    const given = new Map<string, string[]>()
    while (lua.gates.size > 0) {
      const names = [...lua.gates.keys()]
      const count = 1 + next(names.length)
      for (let index = 0; index < count; index += 1) {
        const name = names[(next(names.length) + index) % names.length] as string
        const gate = lua.gates.get(name)
        if (gate === undefined) continue
        lua.gates.delete(name)
        const value = `<${name}:${next(1_000_000)}>`
        const id = name.slice(0, name.indexOf('.'))
        given.set(id, [...(given.get(id) ?? []), value])
        gate.resolve(value)
      }
      await tick()
    }
    for (const [id, answer] of answers.entries()) {
      const { text, headers, result } = await answer
      expect(result).toBe(0)
      expect(headers).toEqual(
        expect.arrayContaining([
          ['X-Id', `r${id}`],
          ['X-Path', `/${id}`],
        ]),
      )
      // Every answer, in the order in which it was given, and nobody else's.
      const waits = given.get(`r${id}`) ?? []
      expect(waits).toHaveLength(2 + 4 + 8)
      expect(text.match(/<[^>]*>/g)).toEqual(waits)
      expect(text.endsWith(` r${id}`)).toBe(true)
    }
    expect(lua.parked).toEqual([])
  })

  it('each have a line of the log of their own', async () => {
    const mountpoint = await lua.handler(`
      env.error:write('begin ', env.QUERY_STRING)
      uwsgi.turn()
      env.error:write(', end ', env.QUERY_STRING, '\\nrest ')
      uwsgi.turn()
      env.error:write(env.QUERY_STRING)
      return 200, {}, ''`)
    await Promise.all(Array.from({ length: 500 }, (_, id) => lua.request({ mountpoint, query: String(id) })))
    const expected = Array.from({ length: 500 }, (_, id) => [`begin ${id}, end ${id}`, `rest ${id}`]).flat()
    expect([...lua.harness.logLines].sort()).toEqual(expected.sort())
  })

  it('serve the same app’s head over and over, or another one each', async () => {
    const mountpoint = await lua.handler(`
      local id = tonumber(env.QUERY_STRING)
      uwsgi.turn()
      local values = setmetatable({}, {
        __len = function() uwsgi.turn() return 3 end,
        __index = function(_, i) uwsgi.turn() return id .. '.' .. i end,
      })
      if id % 3 == 0 then values = { 'same' } end
      return 200 + id % 2, { ['X-Values'] = values, ['X-Id'] = id % 5 }, env.QUERY_STRING`)
    const answers = Array.from({ length: 300 }, (_, id) => lua.request({ mountpoint, query: String(id) }))
    for (const [id, answer] of answers.entries()) {
      const { status, headers, text } = await answer
      expect(text).toBe(String(id))
      expect(status.slice(0, 3)).toBe(String(200 + (id % 2)))
      const values = id % 3 === 0 ? ['same'] : [1, 2, 3].map((index) => `${id}.${index}`)
      expect([...headers].sort()).toEqual([['X-Id', String(id % 5)], ...values.map((value) => ['X-Values', value])])
    }
  })
})

describe('the request that runs', () => {
  it('is the core’s own after each wait, and none in between', async () => {
    const mountpoint = await lua.handler(`
      local a = uwsgi.current()
      uwsgi.wait(env.QUERY_STRING)
      return 200, {}, a .. ' ' .. uwsgi.current()`)
    const one = lua.request({ mountpoint, query: 'one' })
    const two = lua.request({ mountpoint, query: 'two' })
    expect(lua.harness.plugin.currentRequest?.()).toBeUndefined()
    await lua.open('two')
    expect((await two).text).toBe('1 1')
    await lua.open('one')
    expect((await one).text).toBe('0 0')
    expect(lua.harness.plugin.currentRequest?.()).toBeUndefined()
  })
})

describe('a streamed body', () => {
  it('gives the others a turn after each string, also after an empty one', async () => {
    const mountpoint = await lua.handler(`
      local id = env.QUERY_STRING
      return 200, {}, coroutine.wrap(function()
        for i = 1, 3 do uwsgi.note(id .. i) coroutine.yield(id .. i) coroutine.yield('') end
      end)`)
    lua.notes.length = 0
    lua.turns = 0
    const [a, b] = await Promise.all([lua.request({ mountpoint, query: 'a' }), lua.request({ mountpoint, query: 'b' })])
    expect([a.text, b.text]).toEqual(['a1a2a3', 'b1b2b3'])
    expect(lua.notes).toEqual(['a1', 'b1', 'a2', 'b2', 'a3', 'b3'])
    expect(lua.turns).toBe(12)
  })

  it('waits inside of its iterator, a coroutine or a function', async () => {
    for (const iterator of [
      `coroutine.wrap(function() for i = 1, 2 do coroutine.yield(uwsgi.wait('chunk') .. i) end end)`,
      `(function() local i = 0 return function() i = i + 1 if i < 3 then return uwsgi.wait('chunk') .. i end end end)()`,
      `setmetatable({ n = 0 }, { __call = function(t) t.n = t.n + 1 if t.n < 3 then return uwsgi.wait('chunk') .. t.n end end })`,
    ]) {
      const mountpoint = await lua.handler(`uwsgi.wait('head') return 200, { ['X-A'] = 'b' }, ${iterator}`)
      const answer = lua.request({ mountpoint })
      await lua.open('head')
      await lua.open('chunk', 'one')
      await lua.open('chunk', 'two')
      expect(await answer).toMatchObject({ text: 'one1two2', result: 0, headers: [['X-A', 'b']] })
    }
  })

  it('ends at its Content-Length, whoever sent another head meanwhile', async () => {
    const mountpoint = await lua.handler(`
      return 200, { ['Content-Length'] = tonumber(env.QUERY_STRING) }, coroutine.wrap(function()
        for i = 1, 4 do uwsgi.turn() coroutine.yield('1234') end
      end)`)
    const [exact, cut] = await Promise.all([lua.request({ mountpoint, query: '16' }), lua.request({ mountpoint, query: '10' })])
    expect(exact).toMatchObject({ text: '1234123412341234', result: 0, isCut: false })
    expect(cut).toMatchObject({ text: '1234123412', result: -1 })
    expect(lua.harness.logLines.join('\n')).toContain("the body is longer than the app's Content-Length")
  })

  it('waits for a slow client while others are served', async () => {
    const mountpoint = await lua.handler(`
      if env.QUERY_STRING == 'quick' then return 200, {}, 'quick' end
      return 200, {}, coroutine.wrap(function() for i = 1, 3 do coroutine.yield('part' .. i) end end)`)
    const room = Promise.withResolvers<void>()
    const slow = lua.request({
      mountpoint,
      onOpen: (request) => {
        let sent = 0
        const { writeBodyAsync } = request
        Object.defineProperty(request, 'needsRoom', { value: () => sent === 1 })
        Object.defineProperty(request, 'writeBody', { value: writeOnce })
        function writeOnce(this: void, chunk: Uint8Array): void {
          sent += 1
          // As the plain form does, which this one stands for.
          void writeBodyAsync.call(request, Uint8Array.from(chunk))
        }
        Object.defineProperty(request, 'writeBodyAsync', {
          value: async (chunk: Uint8Array) => {
            const kept = Buffer.from(chunk).toString()
            await room.promise
            // The interpreter's memory has been written over by then.
            expect(Buffer.from(chunk).toString()).toBe(kept)
            sent += 1
            await writeBodyAsync.call(request, chunk)
          },
        })
      },
    })
    for (let round = 0; round < 10; round += 1) {
      expect((await lua.request({ mountpoint, query: 'quick' })).text).toBe('quick')
    }
    room.resolve()
    expect(await slow).toMatchObject({ text: 'part1part2part3', result: 0 })
  })

  it('is no longer asked for when its client has gone while it waited', async () => {
    const mountpoint = await lua.handler(`
      return 200, {}, coroutine.wrap(function()
        for i = 1, 3 do uwsgi.note(env.QUERY_STRING .. i) coroutine.yield(uwsgi.wait('gone')) end
      end)`)
    lua.notes.length = 0
    const answer = lua.request({
      mountpoint,
      query: 'g',
      onSend: (chunk) => {
        if (chunk !== undefined) throw new ClientError('CLIENT_GONE', 'gone')
      },
    })
    await lua.open('gone')
    expect((await answer).result).toBe(0)
    expect(lua.notes).toEqual(['g1'])
  })
})

/** A body that arrives when the test says so. */
class ArrivingBody implements RequestBody {
  readonly whole = undefined
  readonly contentLength: number
  #pieces: (Uint8Array | Error)[] = []
  #arrival = Promise.withResolvers<void>()
  #isOver = false
  reads = 0

  constructor(contentLength: number) {
    this.contentLength = contentLength
  }

  arrive(piece: string | Uint8Array | Error): void {
    this.#pieces.push(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece)
    this.#arrival.resolve()
  }

  end(): void {
    this.#isOver = true
    this.#arrival.resolve()
  }

  canReadNow(): boolean {
    return this.#isOver || this.#pieces.length > 0
  }

  read(max: number): Uint8Array {
    this.reads += 1
    if (!this.canReadNow()) throw new Error('this would have parked')
    const piece = this.#pieces.shift()
    if (piece instanceof Error) throw piece
    if (piece === undefined) return new Uint8Array(0)
    if (piece.length > max) this.#pieces.unshift(piece.subarray(max))
    return piece.subarray(0, max)
  }

  async readAsync(max: number): Promise<Uint8Array> {
    while (!this.canReadNow()) {
      await this.#arrival.promise
      this.#arrival = Promise.withResolvers()
    }
    return this.read(max)
  }
}

describe('env.input:read', () => {
  it('waits for what is missing, and goes on where it stood', async () => {
    const mountpoint = await lua.handler(`
      local parts = { env.input:read(3), env.input:read(0), env.input:read(5), coroutine.wrap(function() return env.input:read(2) end)() }
      parts[#parts + 1] = env.input:read()
      return 200, {}, table.concat(parts, '|') .. tostring(env.input:read(1)) .. env.input:read()`)
    const bodySource = new ArrivingBody(17)
    const answer = lua.request({ mountpoint, method: 'POST', bodySource })
    for (const piece of ['a', 'bc\0d', '\xff\xfe', 'e', 'f', 'ghij', 'kl', 'm']) {
      bodySource.arrive(piece)
      await tick()
      await tick()
    }
    bodySource.end()
    expect(Buffer.from((await answer).body).toString('latin1')).toBe('abc||\0d\xff\xfee|fg|hijklmnil')
  })

  it('of many clients at once gives each its own, while their strings grow beside each other', async () => {
    const mountpoint = await lua.handler(`
      local first = env.input:read(70000)
      return 200, {}, first .. '|' .. env.input:read()`)
    const size = 200_000
    const bodies = Array.from({ length: 20 }, () => new ArrivingBody(size))
    const answers = bodies.map((bodySource) => lua.request({ mountpoint, method: 'POST', bodySource }))
    const byteOf = (index: number, at: number): number => (index * 7 + at * 31 + (at >> 8)) & 0xff
    const wholes = bodies.map((_, index) => Uint8Array.from({ length: size }, (_, at) => byteOf(index, at)))
    const sent = bodies.map(() => 0)
    const next = numbers(3)
    while (sent.some((count) => count < size)) {
      const index = next(bodies.length)
      const from = sent[index] as number
      if (from === size) continue
      const to = Math.min(size, from + 1 + next(60_000))
      bodies[index]?.arrive((wholes[index] as Uint8Array).slice(from, to))
      sent[index] = to
      await tick()
    }
    for (const body of bodies) body.end()
    for (const [index, answer] of answers.entries()) {
      const body = Buffer.from((await answer).body)
      const whole = Buffer.from(wholes[index] as Uint8Array)
      expect(body[70_000]).toBe('|'.charCodeAt(0))
      expect(Buffer.concat([body.subarray(0, 70_000), body.subarray(70_001)]).equals(whole)).toBe(true)
    }
  })

  it('takes no memory for what a client only says it will send', async () => {
    const small = await AsyncLua.boot(100, { memoryLimit: 8 * 1024 * 1024 })
    const mountpoint = await small.handler(`return 200, {}, tostring(#env.input:read())`)
    const bodies = Array.from({ length: 100 }, () => new ArrivingBody(16 * 1024 * 1024))
    const answers = bodies.map((bodySource) => small.request({ mountpoint, method: 'POST', bodySource }))
    await tick()
    for (const body of bodies) body.arrive('x')
    await tick()
    for (const body of bodies) body.end()
    for (const answer of answers) expect((await answer).text).toBe('1')
  })

  it('raises what went wrong, at its line', async () => {
    const mountpoint = await lua.handler(`
      local ok, message = pcall(function() return env.input:read() end)
      return 200, {}, message:gsub('^.*app%.lua', '')`)
    const bodySource = new ArrivingBody(100)
    const answer = lua.request({ mountpoint, method: 'POST', bodySource })
    bodySource.arrive('some')
    await tick()
    bodySource.arrive(new ClientError('BODY_TIMEOUT', 'the body stalled'))
    expect((await answer).text).toBe(':3: the body stalled')
  })

  it('of a body that is here, or arrives as fast as it is read, waits for nothing', async () => {
    const mountpoint = await lua.handler(`return 200, {}, env.input:read(2) .. env.input:read()`)
    expect((await lua.request({ mountpoint, method: 'POST', body: 'all here' })).text).toBe('all here')
    const bodySource = new ArrivingBody(8)
    bodySource.arrive('al')
    bodySource.arrive('l here')
    bodySource.end()
    bodySource.readAsync = () => expect.unreachable('it is here')
    expect((await lua.request({ mountpoint, method: 'POST', bodySource })).text).toBe('all here')
  })

  it('parks where nothing can wait', async () => {
    const mountpoint = await lua.handler(`return 200, {}, (('x'):gsub('x', function() return env.input:read() end))`)
    const bodySource = new ArrivingBody(4)
    bodySource.arrive('body')
    bodySource.end()
    expect((await lua.request({ mountpoint, method: 'POST', bodySource })).text).toBe('body')
    expect(bodySource.reads).toBe(2)
  })
})
