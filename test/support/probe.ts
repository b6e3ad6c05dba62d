// A server that runs nothing but the probe plugin (test/apps/system/probe-plugin.mjs): for tests of the host itself.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Server } from './server.ts'

const plugin = fileURLToPath(new URL('../apps/system/probe-plugin.mjs', import.meta.url))

/** HTTP and uwsgi on free ports, one worker unless said otherwise. */
export const startProbe = async (...args: string[]): Promise<Server> =>
  await Server.start({
    args: [
      '--http-socket',
      '127.0.0.1:0',
      '--socket',
      '127.0.0.1:0',
      '--http-socket-modifier1',
      '250',
      '--plugin',
      plugin,
      ...args,
    ],
  })

/** A file whose appearance lets a waiting request go on. */
export class Gate implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'polywsgi-gate-'))
  readonly path = join(this.#folder, 'open')

  /** The path as a query string. */
  get query(): string {
    return encodeURIComponent(this.path)
  }

  open(): void {
    writeFileSync(this.path, '')
  }

  [Symbol.dispose](): void {
    this.open()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
