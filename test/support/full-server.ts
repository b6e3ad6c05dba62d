// A server with everything the API has something to work on: caches, locks, a queue, shared areas, metrics, mules, farms, a
// spooler, alarms, and in each language an app that runs the code it is sent.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Server } from './server.ts'

const apps = fileURLToPath(new URL('../apps/console', import.meta.url))

export type Language = 'python' | 'lua' | 'js'
export const languages: readonly Language[] = ['python', 'lua', 'js']

export interface Answer {
  readonly ok: boolean
  readonly text: string
}

export class FullServer implements AsyncDisposable {
  readonly server: Server
  readonly folder: string

  private constructor(server: Server, folder: string) {
    this.server = server
    this.folder = folder
  }

  static async start(...more: string[]): Promise<FullServer> {
    const folder = mkdtempSync(join(tmpdir(), 'polywsgi-full-'))
    mkdirSync(join(folder, 'spool'))
    const mounts = ['/python=console.py', '/lua=console.lua', '/js=console.mjs'].flatMap((mount) => ['--mount', mount])
    const server = await Server.start({
      cwd: apps,
      args: [
        ...['--http-socket', '127.0.0.1:0', '--socket', '127.0.0.1:0', ...mounts],
        ...['--cache2', 'name=default,items=100,blocksize=1024', '--cache2', 'name=other,items=100,blocksize=1024'],
        ...[
          '--workers',
          '1',
          '--locks',
          '4',
          '--queue',
          '16',
          '--queue-blocksize',
          '1024',
          '--sharedarea',
          '1',
          '--metric',
          'mine',
        ],
        ...['--mule', '--mule', '--farm', 'thumbs:1,2', '--spooler', join(folder, 'spool'), '--alarm', 'admin log:'],
        ...more,
      ],
    })
    return new FullServer(server, folder)
  }

  /** Runs code in a language's app. */
  async run(language: Language, code: string): Promise<Answer> {
    const response = await fetch(`${this.server.http}/${language}`, { method: 'POST', body: code })
    return { ok: response.ok, text: await response.text() }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
