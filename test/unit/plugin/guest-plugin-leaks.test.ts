// Ten thousand requests through a plugin file, of every kind, leave its interpreter as they found it.
import { expect, it } from 'vitest'
import { ClientError } from '../../../host/errors.ts'
import { GuestPlugins, guestLanguages } from '../../support/guest-plugins.ts'
import type { HarnessRequest } from '../../support/plugin-harness.ts'

const lua = `local ways = {}
function ways.hello(req) req:prepare_headers('200 OK') req:add_header('X-Y', 'z') req:finish('hello') end
function ways.vars(req) req:write(req.vars.REQUEST_METHOD .. req:get('PATH_INFO') .. req.core .. req.modifier1) end
function ways.body(req) req:write(req:readline()) req:write(req:read(3)) req:write(req:read()) end
function ways.app(req) req:write(tostring(req.app)) end
function ways.logvar(req) req:set_logvar('a', 'b') end
function ways.raw(req) req:raw('x') end
function ways.fail() error('each time') end
function ways.wrong(req) req:add_header('a b', 'c') end
function ways.answer() return 'text' end
function ways.again() return 1 end
function ways.count(req)
  collectgarbage() collectgarbage()
  req:write(tostring(collectgarbage('count') * 1024))
end
return { name = 'leaks', modifier1 = 200, mount_app = function(_, file) return { file } end,
  request = function(req) return ways[req:get('QUERY_STRING')](req) end, after_request = function(req) local _ = req.vars end }`
const python = `import gc, tracemalloc
tracemalloc.start()
name, modifier1 = 'leaks', 200
class ways:
  def hello(req): req.prepare_headers('200 OK'); req.add_header('X-Y', 'z'); req.finish('hello')
  def vars(req): req.write(req.vars['REQUEST_METHOD'] + req.get('PATH_INFO') + str([req.core, req.modifier1]).encode())
  def body(req): req.write(req.readline()); req.write(req.read(3)); req.write(req.read())
  def app(req): req.write(str(req.app))
  def logvar(req): req.set_logvar('a', 'b')
  def raw(req): req.raw('x')
  def fail(req): raise ValueError('each time')
  def wrong(req): req.add_header('a b', 'c')
  def answer(req): return 'text'
  def again(req): return 1
  def count(req):
    gc.collect(); gc.collect()
    req.write(str(tracemalloc.get_traced_memory()[0]))
def mount_app(mountpoint, file): return [file]
# Not by getattr(): CPython's cache of attributes keeps thousands of names.
def request(req): return vars(ways)[req.get('QUERY_STRING').decode()](req)
def after_request(req): req.vars`
const ways = Array.from(lua.matchAll(/function ways\.(\w+)/g), (match) => match[1] as string).filter((way) => way !== 'count')

/** What caches and free lists of the interpreters waver by: bytes. An object that each request of one kind leaves is above that. */
const waver = { lua: 4096, python: 10_000 }

it.each(guestLanguages)('nothing grows in %s', async (language) => {
  expect(ways).toHaveLength(10)
  using guests = await GuestPlugins.boot(language)
  const plugin = await guests.load(guests.write({ lua, python }))
  const ask = async (query: string, request: HarnessRequest = {}, source?: string): Promise<string> => {
    const answer = await guests.ask(plugin, { query, body: 'line\nmore than that', ...request }, source).catch(() => undefined)
    guests.harness.logLines.length = 0
    return answer?.text ?? ''
  }
  const leaving = (): HarnessRequest => ({
    onSend: () => {
      throw new ClientError('CLIENT_GONE', 'gone')
    },
  })
  const round = async (): Promise<void> => {
    for (const way of ways) {
      await ask(way, { vars: { HTTP_X: String(Math.random()) } })
      await ask(way, leaving())
    }
  }
  for (let index = 0; index < 50; index += 1) await round()
  const before = Number(await ask('count'))
  expect(before).toBeGreaterThan(1000)
  for (let index = 0; index < 10_000 / (2 * ways.length); index += 1) await round()
  expect(Number(await ask('count')) - before).toBeLessThan(waver[language])
})
