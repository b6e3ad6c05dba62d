// The server's operator: whatever asks it for something from outside. Files that are touched, code that changes, letters in a
// master FIFO, signals (which the command hands on). Each of them ends in a few methods here, so that all ways mean the same.
// Invariant: nothing that comes this way can end the server but a stop; what cannot be done is told in the log.
import { writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Configuration } from './config/index.ts'
import type { ReloadKind } from './control/reload-kinds.ts'
import { ConfigError } from './errors.ts'
import { Fifo } from './gateway/fifo.ts'
import type { Logger } from './log/logger.ts'
import { Seldom } from './log/seldom.ts'
import type { LogFile } from './log-file.ts'
import { CodeWatch } from './master/code-watch.ts'
import { type FifoCommand, readCommands } from './master/fifo-commands.ts'
import { TouchedFiles } from './master/touched-files.ts'
import { planMounts } from './mounts.ts'
import { planMules } from './mules.ts'

export interface OperatorOptions {
  readonly configuration: Configuration
  readonly logger: Logger
  readonly logFile: Pick<LogFile, 'isFile' | 'reopen' | 'rotate'>
  /** Where relative paths begin. */
  readonly cwd: string
  reload(kind: ReloadKind): void
  stop(isUrgent: boolean): void
  /** Requests that come wait, until it is said again. @returns whether they wait now */
  togglePause(): boolean
  /** One worker more or less. @returns how many are to run now, undefined when all run all the time */
  changeWorkers(by: 1 | -1): number | undefined
  stats(): readonly string[]
  work(): readonly string[]
}

/** uWSGI chooses by one digit. */
const mostFifos = 10
/** What guests are written in, whatever plugin serves it. */
const codeExtensions = new Set(['.py', '.lua', '.ws', '.wsgi', '.js', '.mjs', '.ts'])

const touchOptions = [
  ['touchReload', 'graceful'],
  ['touchChainReload', 'chain'],
  ['touchWorkersReload', 'workers'],
  ['touchMulesReload', 'mules'],
  ['touchSpoolersReload', 'spoolers'],
] as const

const touchLogOptions = [
  ['touchLogreopen', 'reopen'],
  ['touchLogrotate', 'rotate'],
] as const

export class Operator {
  readonly #options: OperatorOptions
  readonly #touched = new TouchedFiles()
  readonly #fifoPaths: readonly string[]
  readonly #seldom = new Seldom()
  #code: CodeWatch | undefined
  #fifo: Fifo | undefined
  /** Slots are changed one after the other. */
  #slotChange: Promise<void> = Promise.resolve()
  #isClosed = false

  /** @throws ConfigError */
  constructor(options: OperatorOptions) {
    this.#options = options
    const { configuration, cwd } = options
    this.#fifoPaths = configuration.settings.masterFifo.map((path) => resolve(cwd, path))
    if (this.#fifoPaths.length > mostFifos) {
      const message = `master-fifo: ${this.#fifoPaths.length} are given, ${mostFifos} is the most`
      throw new ConfigError('CONFIG_BAD_VALUE', message)
    }
  }

  /** Before the apps are loaded: what changes meanwhile counts. @throws PolywsgiError SOCKET_BIND for a FIFO that cannot be made */
  async start(): Promise<void> {
    const { configuration, cwd } = this.#options
    for (const [setting, kind] of touchOptions) {
      for (const path of configuration.settings[setting]) {
        this.#touched.watch(resolve(cwd, path), () => {
          this.#say(`*** ${path} has been touched: ${titles[kind]} ***`)
          this.#options.reload(kind)
        })
      }
    }
    for (const [setting, how] of touchLogOptions) {
      for (const path of configuration.settings[setting]) {
        this.#touched.watch(resolve(cwd, path), () => {
          this.#say(`*** ${path} has been touched: log ${how} ***`)
          this.#changeLog(how)
        })
      }
    }
    await this.#watchCode()
    const [path] = this.#fifoPaths
    if (path !== undefined) this.#fifo = await this.#openFifo(path)
    if (this.#isClosed) this.close()
  }

  /** Nothing is asked for any more. */
  close(): void {
    this.#isClosed = true
    this.#touched.close()
    this.#code?.close()
    this.#fifo?.close()
    this.#fifo = undefined
  }

  /** Requests that come wait, or go on. */
  pause(): void {
    const isPaused = this.#options.togglePause()
    this.#say(isPaused ? '*** PAUSE: requests wait (SIGTSTP or p again to go on) ***' : '*** RESUME ***')
  }

  reportStats(): void {
    for (const line of this.#options.stats()) this.#say(line)
  }

  reportWork(): void {
    for (const line of this.#options.work()) this.#say(line)
  }

  async #watchCode(): Promise<void> {
    const { configuration, cwd } = this.#options
    const seconds = configuration.settings.autoreload ?? 0
    if (seconds === 0) return
    const directories = codeDirectories(configuration, cwd)
    this.#code = new CodeWatch({
      directories,
      extensions: codeExtensions,
      intervalMs: seconds * 1000,
      onChange: ([first, ...others]) => {
        const more = others.length === 0 ? '' : ` (and ${others.length} other ${others.length === 1 ? 'file' : 'files'})`
        this.#say(`[autoreload] ${first} has changed${more}: reloading`)
        this.#options.reload('graceful')
      },
      onTooMuch: (directory) => this.#say(`[autoreload] there is too much in ${directory}: not all of it is watched`),
    })
    await this.#code.start()
    this.#say(`[autoreload] watching ${directories.join(', ')}`)
  }

  #openFifo(path: string): Promise<Fifo> {
    return Fifo.open({
      path,
      onBytes: (bytes) => this.#carryOut(bytes),
      onError: (error) => this.#say(`master-fifo = ${path}: ${error.message}`),
    })
  }

  #carryOut(bytes: Uint8Array): void {
    const { commands, complaints } = readCommands(bytes)
    for (const complaint of complaints) if (this.#seldom.isDue(complaint)) this.#say(`master-fifo: ${complaint}`)
    for (const command of commands) {
      try {
        this.#do(command)
      } catch (error) {
        this.#say(`master-fifo: ${(error as Error).message}`)
      }
    }
  }

  #do(command: FifoCommand): void {
    const { reload, stop } = this.#options
    switch (command.kind) {
      case 'reload':
        this.#say(`master-fifo: ${titles[command.how]}`)
        return reload(command.how)
      case 'more':
      case 'fewer':
        return this.#changeWorkers(command.kind === 'more' ? 1 : -1)
      case 'pause':
        return this.pause()
      case 'pidfile':
        return this.#writePidfile()
      case 'stats':
        return this.reportStats()
      case 'slot':
        this.#slotChange = this.#slotChange.then(() => this.#choose(command.slot))
        return
      case 'log':
        this.#say(`master-fifo: log ${command.how}`)
        return this.#changeLog(command.how)
      case 'stop':
        return stop(command.isUrgent)
    }
  }

  #changeWorkers(by: 1 | -1): void {
    const workers = this.#options.changeWorkers(by)
    this.#say(
      workers === undefined
        ? 'master-fifo: the number of workers does not change without the option cheaper'
        : `master-fifo: ${workers} workers are to run`,
    )
  }

  #changeLog(how: 'reopen' | 'rotate'): void {
    const { logFile } = this.#options
    logFile[how]().catch((error: Error) => {
      // What fails with the file it tells by itself.
      if (!logFile.isFile) this.#say(`log ${how}: ${error.message}`)
    })
  }

  #writePidfile(): void {
    const { pidfile } = this.#options.configuration.settings
    if (pidfile === undefined) return this.#say('master-fifo: there is no pidfile')
    writeFileSync(resolve(this.#options.cwd, pidfile), `${process.pid}\n`)
  }

  async #choose(slot: number): Promise<void> {
    const path = this.#fifoPaths[slot]
    if (path === undefined) return this.#say(`master-fifo: there is no slot ${slot}`)
    if (path === this.#fifo?.path || this.#isClosed) return
    try {
      const chosen = await this.#openFifo(path)
      if (this.#isClosed) return chosen.close()
      this.#fifo?.close()
      this.#fifo = chosen
      this.#say(`active master fifo is now ${path}`)
    } catch (error) {
      this.#say((error as Error).message)
    }
  }

  #say(line: string): void {
    this.#options.logger.text(line)
  }
}

const titles: Readonly<Record<ReloadKind, string>> = {
  graceful: 'graceful reload',
  chain: 'chain reload',
  workers: 'reload of the workers',
  mules: 'reload of the mules',
  spoolers: 'reload of the spoolers',
}

/** Where code lies that guests load: each app may import what is in its own directory, and what is on the path of all. */
const codeDirectories = ({ settings, plugins }: Configuration, cwd: string): string[] => {
  const files = [
    ...planMounts(settings, cwd).map(({ source }) => source),
    ...planMules(settings, cwd).flatMap(({ program }) => (program === '' ? [] : [program])),
    ...plugins.flatMap(({ url, language }) => (language === undefined ? [] : [fileURLToPath(url)])),
  ]
  // A module's name is no path: it lies below the working directory or on the python path.
  const directories = files.map((file) => (file.startsWith('/') ? dirname(file) : cwd))
  return [...new Set([...directories, ...settings.pythonpath.map((path) => resolve(cwd, path))])]
}
