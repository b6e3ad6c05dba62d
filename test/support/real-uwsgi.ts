// Debian's uWSGI, started with an app on a free uwsgi socket: the yardstick.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { peerPath } from './peers.ts'

export class RealUwsgi implements AsyncDisposable {
  /** The path of its uwsgi socket. */
  readonly address: string
  readonly #child: ChildProcess
  readonly #exit: Promise<unknown>
  readonly #folder: string

  private constructor(child: ChildProcess, folder: string) {
    this.#child = child
    this.#folder = folder
    this.address = join(folder, 'uwsgi.sock')
    this.#exit = new Promise((resolve) => child.on('exit', resolve))
  }

  static async start(...args: string[]): Promise<RealUwsgi> {
    const folder = mkdtempSync(join(tmpdir(), 'polywsgi-real-'))
    const own = ['--plugins-dir', '/usr/lib/uwsgi/plugins', '--socket', join(folder, 'uwsgi.sock'), '--master', '--die-on-term']
    const child = spawn(peerPath('uwsgi'), [...own, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    const uwsgi = new RealUwsgi(child, folder)
    await new Promise<void>((resolve, reject) => {
      child.stderr?.setEncoding('utf8').on('data', (text: string) => {
        said += text
        if (/spawned uWSGI worker/.test(said) && existsSync(uwsgi.address)) resolve()
      })
      child.on('exit', () => reject(new Error(`uWSGI ended: ${said}`)))
    })
    return uwsgi
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exit
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
