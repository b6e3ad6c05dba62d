// Variables that a plugin has changed before the app was called are what apps see, in each language.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { createJsPlugin } from '../../../bindings/js/index.ts'
import { createLuaPlugin } from '../../../bindings/lua/index.ts'
import pythonPlugin from '../../../bindings/python/index.ts'
import type { Plugin } from '../../../host/plugin/plugin.ts'
import { PluginHarness } from '../../support/plugin-harness.ts'

const folder = mkdtempSync(join(tmpdir(), 'polywsgi-vars-'))
afterAll(() => rmSync(folder, { recursive: true }))

const lua = `return function(env)
  return 200, {}, tostring(env.REMOTE_USER) .. '|' .. tostring(env.HTTP_X_SECRET) .. '|' .. #(env.LARGE or '')
end`
const js = `export const app = ({ env, headers }) => ({ status: 200, headers: {}, body: [
  [env.REMOTE_USER, headers['x-secret'], (env.LARGE ?? '').length].join('|')] })`
const python = `def application(environ, start_response):
    start_response('200 OK', [])
    large = environ.get('LARGE', '')
    return [f"{environ.get('REMOTE_USER')}|{environ.get('HTTP_X_SECRET')}|{len(large)}".encode('latin1')]`

describe('an app sees what a plugin has made of the variables', () => {
  it.each([
    ['Lua', () => createLuaPlugin(), 'app.lua', lua, 'nil'],
    ['JavaScript', () => createJsPlugin() as Plugin, 'app.mjs', js, ''],
    ['Python', () => pythonPlugin, 'app.py', python, 'None'],
  ])('in %s', async (_, create, file, source, nothing) => {
    writeFileSync(join(folder, file), source)
    const harness = await PluginHarness.boot(create())
    await harness.mount(join(folder, file))
    const { plugin } = harness
    const serve = plugin.request?.bind(plugin)
    const ask = async () => (await harness.request({ vars: { REMOTE_USER: 'forged', HTTP_X_SECRET: 'yes' } })).text
    expect(await ask()).toBe('forged|yes|0')
    plugin.request = (request) => {
      request.setVar('REMOTE_USER', 'ann')
      request.removeVar('HTTP_X_SECRET')
      for (let n = 0; n < 3; n += 1) request.setVar('LARGE', 'x'.repeat(65_535))
      return serve?.(request) ?? -1
    }
    expect(await ask()).toBe(`ann|${nothing}|65535`)
    expect(await ask()).toBe(`ann|${nothing}|65535`)
    plugin.request = (request) => serve?.(request) ?? -1
    expect(await ask()).toBe('forged|yes|0')
    harness.close()
  })
})
