// A server as one would run it for code that one does not trust (--sandbox), and attempts to get out of it: guest code that is
// posted to an app which runs it. Around it lies what would be worth getting out for: a secret in a file, one in the environment,
// one among the server's options.
// Invariant: an attempt is contained when its answer holds no secret and no path of the host, nothing of the host was changed, the
// server is still the same process, and the app answers the next request.
import { randomBytes } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import type { Language } from '../support/full-server.ts'
import { Server } from '../support/server.ts'

const consoles = fileURLToPath(new URL('../apps/console', import.meta.url))
const root = fileURLToPath(new URL('../..', import.meta.url))
const consoleOf: Readonly<Record<Language, string>> = { python: 'console.py', lua: 'console.lua', js: 'console.mjs' }
/** What the app answers to it shows that it serves. */
const alive: Readonly<Record<Language, string>> = { python: 'return 6 * 7', lua: 'return 6 * 7', js: 'return 6 * 7' }

/** Code that tries, and what `STATUS TEXT` of the answer shows of its being contained. `ROOM` in it is the room's folder. */
export interface Attempt {
  readonly code: string
  readonly expected: RegExp
}

export interface Outcome {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

export class EscapeRoom implements AsyncDisposable {
  readonly server: Server
  readonly language: Language
  /** Holds `app/`, which guests may read; `writable/`, which they may write; `outside/`, which is not theirs. */
  readonly folder: string
  readonly #secrets: readonly string[]
  readonly #before: string

  private constructor(server: Server, language: Language, folder: string, secrets: readonly string[]) {
    this.server = server
    this.language = language
    this.folder = folder
    this.#secrets = secrets
    this.#before = this.#state
  }

  static async start(language: Language, ...more: string[]): Promise<EscapeRoom> {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'room-')))
    const at = (path: string): string => join(folder, path)
    const secrets = [1, 2, 3].map(() => `secret-${randomBytes(8).toString('hex')}`)
    for (const directory of ['app', 'writable', 'outside', 'spool']) mkdirSync(at(directory))
    const app = consoleOf[language]
    writeFileSync(at(`app/${app}`), readFileSync(join(consoles, app)))
    writeFileSync(at('app/data.txt'), 'data')
    writeFileSync(at('outside/secret'), secrets[0] as string)
    symlinkSync(at('outside/secret'), at('app/link'))
    symlinkSync('../outside', at('app/directory-link'))
    symlinkSync('/', at('app/root-link'))
    symlinkSync(at('outside'), at('writable/out'))
    writeFileSync(at('options.ini'), `[uwsgi]\ndatabase-password = ${secrets[2]}\n`)
    const server = await Server.start({
      cwd: at('app'),
      env: { HOST_SECRET: secrets[1] as string },
      args: [
        ...['--sandbox', '--http-socket', '127.0.0.1:0', '--socket', '127.0.0.1:0', '--mount', `/=${app}`, '--workers', '1'],
        ...['--allow-write', at('writable'), '--spooler', at('spool'), '--cache2', 'name=default,items=10', '--locks', '2'],
        ...['--sharedarea', '1', '--memory-limit', '96m', '--ini', at('options.ini'), ...more],
      ],
    })
    return new EscapeRoom(server, language, folder, secrets)
  }

  at(path: string): string {
    return join(this.folder, path)
  }

  async run(code: string): Promise<Outcome> {
    const response = await fetch(this.server.http, { method: 'POST', body: code })
    return { status: response.status, headers: response.headers, text: await response.text() }
  }

  /** Runs an attempt and asserts that it is contained. @returns what was answered */
  async attempt(code: string): Promise<Outcome> {
    const outcome = await this.run(code)
    const said = `${outcome.text}\n${[...outcome.headers].flat().join('\n')}`
    for (const secret of this.#secrets) expect(said).not.toContain(secret)
    for (const path of [root, process.execPath, '/root:', 'root:x:']) expect(said).not.toContain(path)
    expect(this.#state).toBe(this.#before)
    expect(this.server.process.exitCode).toBeNull()
    const next = await this.run(alive[this.language])
    expect([code, next.status, next.text]).toEqual([code, 200, '42'])
    return outcome
  }

  /** What must not be changed, as text. */
  get #state(): string {
    const files = ['app', 'outside', 'spool', '.'].map((directory) => readdirSync(this.at(directory)).sort())
    const contents = ['outside/secret', 'app/data.txt', `app/${consoleOf[this.language]}`].map((file) =>
      existsSync(this.at(file)) ? readFileSync(this.at(file), 'latin1') : 'gone',
    )
    return JSON.stringify([files, contents])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
