// The server whose apps wait (test/apps/async/), and the servers of the test's own that they wait for: what happens is told by
// conditions, never by time.
import { once, setMaxListeners } from 'node:events'
import { connect, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { Companion } from './companions.ts'
import type { Language } from './full-server.ts'
import { Server } from './server.ts'

const apps = fileURLToPath(new URL('../apps/async', import.meta.url))

export const fileOf: Readonly<Record<Language, string>> = { python: 'app.py', lua: 'app.lua', js: 'app.mjs' }

export type Arguments = Readonly<Record<string, string | number>>

export class AsyncApp implements AsyncDisposable {
  readonly server: Server
  /** What handlers have noted so far, in order. */
  readonly notes: string[] = []

  private constructor(server: Server) {
    this.server = server
  }

  /** HTTP and uwsgi on free ports; one worker of eight cores unless said otherwise. */
  static async start(...more: string[]): Promise<AsyncApp> {
    return await AsyncApp.startWith(['python', 'lua', 'js'], ...more)
  }

  /** One with some of the languages only, which is there sooner. */
  static async startWith(languages: readonly Language[], ...more: string[]): Promise<AsyncApp> {
    const mounts = languages.flatMap((language) => ['--mount', `/${language}=${fileOf[language]}`])
    const size = [
      '--cache2',
      'name=default,items=1000,blocksize=1024',
      '--queue',
      '1000',
      '--queue-blocksize',
      '256',
      '--locks',
      '2',
    ]
    const sockets = ['--need-app', '--post-buffering', '0', '--http-socket', '127.0.0.1:0', '--socket', '127.0.0.1:0']
    const args = [...sockets, ...mounts, ...size, ...(more.includes('--async') ? [] : ['--async', '8']), ...more]
    return new AsyncApp(await Server.start({ cwd: apps, args }))
  }

  url(language: Language, page: string, args: Arguments = {}): string {
    const query = Object.entries(args).map(([name, value]) => `${name}=${value}`)
    return `/${language}/${page}?${query.join('&')}`
  }

  async ask(language: Language, page: string, args: Arguments = {}, init: RequestInit = {}): Promise<Response> {
    return await fetch(`${this.server.http}${this.url(language, page, args)}`, init)
  }

  /** The text of a page; that of one that fails, with its status before it. */
  async get(language: Language, page: string, args: Arguments = {}): Promise<string> {
    const response = await this.ask(language, page, args)
    const text = await response.text()
    return response.ok ? text : `${response.status} ${text}`
  }

  /** Asks the app for its notes until one is there: it is served meanwhile, or the test never ends. */
  async noted(language: Language, wanted: string | RegExp): Promise<string> {
    for (;;) {
      const note = this.notes.find((one) => (typeof wanted === 'string' ? one === wanted : wanted.test(one)))
      if (note !== undefined) return note
      const response = await this.ask(language, 'journal')
      const news = await response.text()
      if (!response.ok) throw new Error(`the notes cannot be read: ${news}`)
      if (news !== '') this.notes.push(...news.split('\n'))
    }
  }

  /** A connection on which a test writes its own request, at its own pace. */
  async open(): Promise<Socket> {
    const { hostname, port } = new URL(this.server.http)
    const socket = connect(Number(port), hostname)
    socket.on('error', () => {})
    await once(socket, 'connect')
    return socket
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]()
  }
}

/** Handlers connect to it, tell it their name, and wait until it answers. */
export class Keeper implements AsyncDisposable {
  readonly #companion: Companion
  readonly #kept: Map<string, Socket>
  readonly #news: EventTarget

  private constructor(companion: Companion, kept: Map<string, Socket>, news: EventTarget) {
    this.#companion = companion
    this.#kept = kept
    this.#news = news
  }

  static async start(): Promise<Keeper> {
    const kept = new Map<string, Socket>()
    const news = new EventTarget()
    // Hundreds may be waited for.
    setMaxListeners(0, news)
    const companion = await Companion.start((socket) => {
      socket.on('data', (data) => {
        kept.set(data.toString('latin1'), socket)
        news.dispatchEvent(new Event('came'))
      })
    })
    return new Keeper(companion, kept, news)
  }

  get address(): string {
    return this.#companion.address
  }

  /** Resolves to the connection of whoever said a name, once it has. */
  async named(name: string): Promise<Socket> {
    for (;;) {
      const socket = this.#kept.get(name)
      if (socket !== undefined) return socket
      await once(this.#news, 'came')
    }
  }

  /** Lets one go on, with a text. */
  async release(name: string, text: string): Promise<void> {
    const socket = await this.named(name)
    this.#kept.delete(name)
    socket.write(text)
  }

  /** Resolves when the one of that name has closed its connection. */
  async left(name: string): Promise<void> {
    const socket = await this.named(name)
    if (!socket.destroyed) await once(socket, 'close')
  }

  /** The next one of that name is another. */
  forget(name: string): void {
    this.#kept.delete(name)
  }

  /** Resolves when none of its connections is open. */
  async isEmpty(): Promise<void> {
    await this.#companion.isEmpty()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#companion[Symbol.asyncDispose]()
  }
}
