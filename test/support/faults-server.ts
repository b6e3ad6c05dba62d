// Servers whose apps run, in each language, the code they are given: some as they load, some in a request.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Server } from './server.ts'

export const apps = fileURLToPath(new URL('../apps/faults', import.meta.url))
const mounts = ['/python=app.py', '/lua=app.lua', '/js=app.mjs'].flatMap((mount) => ['--mount', mount])
const cache = ['--cache2', 'name=default,items=2000,blocksize=128']

export type Language = 'python' | 'lua' | 'js'
export const languages: readonly Language[] = ['python', 'lua', 'js']
/** Code that runs as the apps load. */
export type Load = Partial<Record<Language, string>>

const loadArgs = (load: Load): string[] => Object.entries(load).flatMap(([name, code]) => ['--set', `load-${name}=${code}`])

export const start = (load: Load, ...more: string[]): Promise<Server> =>
  Server.start({ cwd: apps, args: ['--http-socket', '127.0.0.1:0', ...mounts, ...cache, ...loadArgs(load), ...more] })

export const ask = async (server: Server, language: Language, code: string): Promise<{ status: number; text: string }> => {
  const response = await fetch(`${server.http}/${language}`, { method: 'POST', body: code })
  return { status: response.status, text: Buffer.from(await response.arrayBuffer()).toString('latin1') }
}

export const run = async (server: Server, language: Language, code: string): Promise<string> =>
  (await ask(server, language, code)).text

/** Asks again until the answer is the wanted one: what is awaited comes by itself, and a test that waits in vain times out. */
export const eventually = async (question: () => Promise<unknown>, wanted: unknown): Promise<void> => {
  while ((await question()) !== wanted) await new Promise((resolve) => setImmediate(resolve))
}

export const number = async (server: Server, key: string): Promise<number> =>
  Number(await run(server, 'lua', `return uwsgi.cache_num('${key}')`))

export const counted = (server: Server, key: string, wanted: number) => eventually(() => number(server, key), wanted)

export const inFolder = async (work: (folder: string) => Promise<void>): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'polywsgi-faults-'))
  try {
    await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
