// Boots the JavaScript plugin with apps given as text: each test says in its own lines what the guest runs.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach } from 'vitest'
import { createJsPlugin, type JsPluginOptions } from '../../../bindings/js/index.ts'
import type { Plugin } from '../../../host/plugin/plugin.ts'
import { type HarnessOptions, type HarnessRequest, type HarnessResponse, PluginHarness } from '../../support/plugin-harness.ts'

const directories: string[] = []
const harnesses: PluginHarness[] = []

afterEach(() => {
  for (const harness of harnesses.splice(0)) harness.close()
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true })
})

/** A new directory with these files, removed after the test. */
export const directoryWith = (files: Record<string, string | Uint8Array>): string => {
  const directory = mkdtempSync(join(tmpdir(), 'polywsgi-js-'))
  directories.push(directory)
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true })
    writeFileSync(join(directory, name), content)
  }
  return directory
}

export const bootJs = async (options: HarnessOptions & JsPluginOptions = {}): Promise<PluginHarness> => {
  const harness = await PluginHarness.boot(createJsPlugin(options) as Plugin, options)
  harnesses.push(harness)
  return harness
}

export interface MountedApp {
  readonly harness: PluginHarness
  readonly directory: string
  readonly logLines: string[]
  request(request?: HarnessRequest): Promise<HarnessResponse>
}

/** An app of one file, mounted at the root. */
export const mountJs = async (source: string, options: HarnessOptions & JsPluginOptions = {}): Promise<MountedApp> => {
  const directory = directoryWith({ 'app.js': source })
  const harness = await bootJs(options)
  await harness.mount(join(directory, 'app.js'))
  return { harness, directory, logLines: harness.logLines, request: (request) => harness.request(request) }
}

/**
 * Runs statements in a fetch handler and gives what they return, through JSON.
 * @param body may use `request`, `env`, `ctx` and `await`
 * @throws Error with the server's log when the handler failed
 */
export const runJs = async (body: string, request: HarnessRequest = {}): Promise<unknown> => {
  const app = await mountJs(`const run = async (request, env, ctx) => {
${body}
}
export default { fetch: async (...args) => Response.json({ value: await run(...args) }) }`)
  const response = await app.request(request)
  if (response.status !== '200 OK') throw new Error(app.logLines.join('\n'))
  return (JSON.parse(response.text) as { value: unknown }).value
}

/** The value of an expression in the guest, through JSON. */
export const guestValue = (expression: string, request: HarnessRequest = {}): Promise<unknown> =>
  runJs(`return (${expression})`, request)

export const headerValues = (response: HarnessResponse, name: string): string[] =>
  response.headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value)
