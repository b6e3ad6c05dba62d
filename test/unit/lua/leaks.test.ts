// Ten thousand requests of every kind leave a worker as they found it: Lua's memory, its registry, the interpreter's heap.
import { expect, it } from 'vitest'
import { LuaApp } from '../../../bindings/lua/app.ts'
import { compileLua, registryIndex } from '../../../bindings/lua/glue.ts'
import { LuaWorker } from '../../../bindings/lua/worker.ts'
import { WholeBody } from '../../../host/request/body.ts'
import { WsgiRequest } from '../../../host/request/wsgi-request.ts'
import { encodeVars } from '../../../protocol/vars.ts'
import { bootLua, writeFiles } from './fixture.ts'

const source = `
local ways = {}
function ways.hello() return 200, { ['Content-Type'] = 'text/plain' }, 'hello' end
function ways.stream() return 200, {}, coroutine.wrap(function() for i = 1, 3 do coroutine.yield('part' .. i) end end) end
function ways.cut() return 200, { ['Content-Length'] = 1 }, coroutine.wrap(function() while true do coroutine.yield('xy') end end) end
function ways.fail() error('each time') end
function ways.late() return 200, {}, coroutine.wrap(function() coroutine.yield('x') error('late') end) end
function ways.wrong() return nil end
function ways.yield() coroutine.yield() end
function ways.body(env) return 200, {}, (env.input:read(3) or '') .. env.input:read() end
function ways.host() pcall(uwsgi.log) pcall(uwsgi.log, {}) return 200, {}, tostring(uwsgi.worker_id()) end
function ways.missing() return 200, {}, tostring(pcall(require, 'missing')) end
function ways.trace() return 200, {}, select(2, xpcall(error, debug.traceback, 'x')) end
return function(env)
  if env.QUERY_STRING == 'count' then
    collectgarbage() collectgarbage()
    return 200, {}, tostring(collectgarbage('count'))
  end
  return ways[env.QUERY_STRING](env)
end`

it('nothing grows', async () => {
  const { context, plugin } = await bootLua()
  const quiet = { text: () => {}, bytes: () => {} }
  const worker = new LuaWorker(await compileLua(), { ...context, log: quiet, data: context.data as never }, plugin)
  const file = `${writeFiles({ 'app.lua': source })}/app.lua`
  const app = new LuaApp(worker, file, worker.load({ mountpoint: '', source: file, callable: undefined }))

  const body = new Uint8Array(5000).fill(0xfe)
  let answer = ''
  const request = (way: string, clientGoneAfter = Number.POSITIVE_INFINITY): void => {
    let sends = 0
    const sink = {
      get clientGone() {
        return sends >= clientGoneAfter
      },
      send: (_head: unknown, chunk: Uint8Array | undefined) => {
        sends += 1
        answer = Buffer.from(chunk ?? []).toString('latin1')
      },
      sendAsync: async () => {},
      cut: () => {},
    }
    app.serve(
      new WsgiRequest({
        coreId: 0,
        modifier1: 6,
        modifier2: 0,
        vars: encodeVars([
          ['QUERY_STRING', way],
          ['HTTP_X', String(Math.random())],
        ]),
        body: new WholeBody(body),
        sink,
        app: undefined,
      }),
    )
  }
  const ways = [...source.matchAll(/ways\.(\w+)\(/g)].map((match) => match[1] as string)
  expect(ways).toHaveLength(11)
  const lua = worker.runtime.lua as unknown as { lua_rawlen(L: number, index: number): number; memory: { buffer: ArrayBuffer } }
  const measure = () => {
    request('count')
    return {
      kib: Number(answer),
      references: lua.lua_rawlen(worker.runtime.main, registryIndex),
      heap: lua.memory.buffer.byteLength,
    }
  }
  const round = (): void => {
    for (const way of ways) {
      request(way)
      request(way, 1)
    }
  }
  for (let index = 0; index < 100; index += 1) round()
  const before = measure()
  expect(before.kib).toBeGreaterThan(10)
  for (let index = 0; index < 10_000 / (2 * ways.length); index += 1) round()
  const after = measure()
  expect(after.references).toBe(before.references)
  expect(after.kib - before.kib).toBeLessThan(4)
  expect(after.heap).toBe(before.heap)
})
