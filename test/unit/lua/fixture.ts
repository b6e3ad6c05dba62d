// For tests of the Lua binding: a booted plugin, and apps written where they are used.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'
import { createLuaPlugin } from '../../../bindings/lua/index.ts'
import { type HarnessOptions, PluginHarness } from '../../support/plugin-harness.ts'

export const appFile = (name: string): string => fileURLToPath(new URL(`../../apps/lua/${name}`, import.meta.url))

const directories: string[] = []
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true })
})

/** A directory of its own with these files in it; removed after the tests of the file. */
export const writeFiles = (files: Record<string, string | Uint8Array>): string => {
  const directory = mkdtempSync(join(tmpdir(), 'lua-app-'))
  directories.push(directory)
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true })
    writeFileSync(join(directory, name), content)
  }
  return directory
}

export const bootLua = (options?: HarnessOptions): Promise<PluginHarness> => PluginHarness.boot(createLuaPlugin(), options)

let mounted = 0

/** Mounts an app with this source at a mountpoint of its own, which it answers. */
export const mountSource = async (harness: PluginHarness, source: string, callable?: string): Promise<string> => {
  mounted += 1
  const mountpoint = `/app${mounted}`
  await harness.mount(join(writeFiles({ 'app.lua': source }), 'app.lua'), mountpoint, callable)
  return mountpoint
}

/** Runs Lua statements in a request of an app of their own; answers what they return, as text. */
export const evaluate = async (harness: PluginHarness, statements: string): Promise<string> => {
  const mountpoint = await mountSource(
    harness,
    `return function(env)
  local function body() ${statements}
  end
  local results = table.pack(pcall(body))
  for index = 1, results.n do results[index] = tostring(results[index]) end
  return 200, {}, table.concat(results, ' | ', 1, results.n)
end`,
  )
  const response = await harness.request({ mountpoint })
  return response.text.replace(/\S*\/lua-app-\w+\/|\.\.\.\S*app\.lua/g, (path) => (path.startsWith('...') ? 'app.lua' : ''))
}
