import { beforeAll, expect, it } from 'vitest'
import { AsyncLua } from './async-fixture.ts'

let lua: AsyncLua
beforeAll(async () => {
  lua = await AsyncLua.boot()
})
it('x', async () => {
  const m = await lua.handler(`return 200, {}, uwsgi.wait('a')`)
  const r = lua.request({ mountpoint: m })
  await lua.open('a')
  expect((await r).text).toBe('opened a')
  const m2 = await lua.handler(
    `local f = coroutine.wrap(function() local x = uwsgi.wait('b') coroutine.yield('y' .. x) return 'z' end) return 200, {}, f() .. f()`,
  )
  const r2 = lua.request({ mountpoint: m2 })
  await lua.open('b')
  expect((await r2).text).toBe('yopened bz')
})
