// Starts the built program from its command line, as a user does, on ports the system chose; ends it by its pid.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
export const cliPath = `${root}dist/cli.js`

export interface ServerOptions {
  readonly args: readonly string[]
  readonly cwd?: string
  readonly env?: Record<string, string>
  /** No file grows past so many bytes, multiples of 512, as on a disk that is full then (`ulimit -f`). */
  readonly largestFile?: number
}

export class Server implements AsyncDisposable {
  readonly process: ChildProcess
  readonly #exit: Promise<number | null>
  #stderr = ''
  #stdout = ''

  private constructor(child: ChildProcess) {
    this.process = child
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text))
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#stdout += text))
    this.#exit = new Promise((resolve) => child.on('exit', (code) => resolve(code)))
  }

  /** Runs the command without waiting for anything. */
  static spawn(options: ServerOptions): Server {
    const command = [process.execPath, cliPath, ...options.args]
    const { largestFile } = options
    const [program = '', ...args] =
      largestFile === undefined ? command : ['sh', '-c', `ulimit -f ${largestFile / 512}; exec "$@"`, 'sh', ...command]
    return new Server(
      spawn(program, args, {
        cwd: options.cwd ?? root,
        env: { ...process.env, ...options.env },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    )
  }

  /** Runs the command and resolves when it says that it is ready. Rejects with its output when it ends before. */
  static async start(options: ServerOptions): Promise<Server> {
    const server = Server.spawn(options)
    await server.logged('polywsgi ready')
    return server
  }

  get log(): string {
    return this.#stderr
  }

  get output(): string {
    return this.#stdout
  }

  get pid(): number {
    return this.process.pid as number
  }

  /** The HTTP address that the ready line tells: `http://127.0.0.1:PORT`. */
  get http(): string {
    const match = /polywsgi ready \(.*?(http:\/\/[\d.:[\]a-f]+)/.exec(this.#stderr)
    if (match === null) throw new Error(`no HTTP address in: ${this.#stderr}`)
    return match[1] as string
  }

  /** The uwsgi address that the ready line tells: `127.0.0.1:PORT` or a path. */
  get uwsgi(): string {
    const match = /polywsgi ready \(.*?uwsgi ([^,)]+)/.exec(this.#stderr)
    if (match === null) throw new Error(`no uwsgi address in: ${this.#stderr}`)
    return match[1] as string
  }

  /** Resolves when the log holds a text, `times` times; rejects when the program ends first. */
  async logged(text: string | RegExp, times = 1): Promise<void> {
    const holds = (): boolean => this.#stderr.split(text).length > times
    while (!holds()) {
      const ended = await Promise.race([
        once(this.process.stderr as NodeJS.ReadableStream, 'data').then(() => false),
        this.#exit.then(() => true),
      ])
      if (ended && !holds()) throw new Error(`the server ended before it logged ${String(text)}:\n${this.#stderr}`)
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.process.kill(signal)
  }

  /** Resolves to the exit code. */
  async exited(): Promise<number | null> {
    return await this.#exit
  }

  async stop(): Promise<number | null> {
    this.kill('SIGTERM')
    return await this.#exit
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) this.kill('SIGKILL')
    await this.#exit
  }
}
