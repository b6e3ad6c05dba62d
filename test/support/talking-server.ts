// A server whose log is full of numbered lines: apps in three languages say one for each request, and each request has its own.
// Clients ask until they are told to stop, and know what must stand in the log then.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { Server } from './server.ts'

/** More of them say nothing more. */
const mostFaults = 20
const tail = `${'x'.repeat(300)}.`
const apps = {
  'app.py': `
def application(environ, start_response):
    print("said " + environ["PATH_INFO"] + " ${tail}")
    start_response("200 OK", [])
    return [b"done"]
`,
  'app.lua': `
return function(env)
  print('said ' .. env.PATH_INFO .. ' ${tail}')
  return '200 OK', {}, 'done'
end
`,
  'app.mjs': `
export default {
  fetch(request) {
    console.log('said ' + new URL(request.url).pathname.slice(3) + ' ${tail}')
    return new Response('done')
  },
}
`,
}
const mounts = { py: 'app.py', lua: 'app.lua', js: 'app.mjs' }

export class TalkingServer implements AsyncDisposable {
  readonly folder: string
  readonly server: Server
  /** Requests that were answered. */
  answered = 0
  readonly faults: string[] = []
  readonly #agent = new Agent({ keepAlive: true })
  readonly #paths: string[] = []
  #clients: Promise<void>[] = []
  #isOver = false

  private constructor(folder: string, server: Server) {
    this.folder = folder
    this.server = server
  }

  /** The working directory is its folder, the log `logs/log` in it. */
  static async start(...args: string[]): Promise<TalkingServer> {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'polywsgi-talking-')))
    mkdirSync(join(folder, 'logs'))
    for (const [name, code] of Object.entries(apps)) writeFileSync(join(folder, name), code)
    const server = await Server.start({
      cwd: folder,
      args: [
        ...['--http-socket', '127.0.0.1:0', '--workers', '2', '--logto', 'logs/log', '--log-format', 'asked %(uri)'],
        ...Object.entries(mounts).flatMap(([mountpoint, file]) => ['--mount', `/${mountpoint}=${file}`]),
        ...args,
      ],
    })
    return new TalkingServer(folder, server)
  }

  at(name: string): string {
    return join(this.folder, name)
  }

  /** The log, and whatever it was moved to. */
  get logNames(): string[] {
    return readdirSync(this.at('logs')).sort()
  }

  log(name = 'log'): string {
    return this.at(`logs/${name}`)
  }

  text(name = 'log'): string {
    const bytes = readFileSync(this.log(name))
    return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('latin1')
  }

  /** How many descriptors the server has of its log, and of files that were it. */
  get openLogs(): number {
    const fds = `/proc/${this.server.pid}/fd`
    return readdirSync(fds).filter((fd) => {
      try {
        return readlinkSync(join(fds, fd)).startsWith(this.log())
      } catch {
        // Closed since it was listed.
        return false
      }
    }).length
  }

  /** Two clients for each language. */
  ask(): void {
    for (const language of Object.keys(mounts)) {
      for (const client of [1, 2]) this.#clients.push(this.#run(language, client))
    }
  }

  /** So many more requests are answered. */
  async more(count: number): Promise<void> {
    const enough = this.answered + count
    while (this.answered < enough && this.faults.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  }

  /** Ends the clients, then the server. @returns how many requests there were, of all of which the log must know */
  async end(): Promise<number> {
    this.#isOver = true
    await Promise.all(this.#clients)
    this.#clients = []
    this.#agent.destroy()
    const code = await this.server.stop()
    if (code !== 0) this.faults.push(`exit code ${code}`)
    return this.#paths.length
  }

  /** What is not as it should be in the files: lines that are missing, are there twice, or are not whole. */
  faultsOfLog(): string[] {
    const expected = new Set(
      this.#paths.flatMap((path) => [`asked ${path}`, `said /${path.slice(1)} ${tail}`.replace(/ \/(py|lua|js)/, ' ')]),
    )
    const found = new Map<string, number>()
    const faults: string[] = [...this.faults]
    for (const name of this.logNames) {
      const text = this.text(name)
      if (text !== '' && !text.endsWith('\n')) faults.push(`${name} ends within a line`)
      for (const line of text.split('\n')) {
        if (!/said|asked|xx/.test(line)) continue
        if (expected.has(line)) found.set(line, (found.get(line) ?? 0) + 1)
        else faults.push(`${name}: ${line}`)
      }
    }
    for (const line of expected) if (found.get(line) !== 1) faults.push(`${found.get(line) ?? 0} times: ${line}`)
    return faults.slice(0, mostFaults)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true
    await this.server[Symbol.asyncDispose]()
    await Promise.all(this.#clients)
    this.#agent.destroy()
    rmSync(this.folder, { recursive: true, force: true })
  }

  async #run(language: string, client: number): Promise<void> {
    for (let count = 0; !this.#isOver; count += 1) {
      const path = `/${language}/${language}-${client}-${count}`
      this.#paths.push(path)
      try {
        const answer = await this.#get(path)
        if (answer !== '200 done') this.faults.push(answer)
      } catch (error) {
        if (!this.#isOver) this.faults.push(String(error))
        return
      }
      this.answered += 1
    }
  }

  #get(path: string): Promise<string> {
    return new Promise((resolve, reject) => {
      get(`${this.server.http}${path}`, { agent: this.#agent }, (response) => {
        let body = ''
        response.setEncoding('latin1').on('data', (text: string) => {
          body += text
        })
        response.on('error', reject).on('end', () => resolve(`${response.statusCode} ${body}`))
      }).on('error', reject)
    })
  }
}
