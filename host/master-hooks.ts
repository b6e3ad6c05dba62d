// The hooks of the configuration in the master: which phases run when, over start, reload and stop, and the files of
// hook-touch. It lies here because its actions reach rooms that may not know each other.
// Invariant: nothing of it holds the master's thread, and a server that stops waits for none of its start's hooks.
import { resolve } from 'node:path'
import { decodeRpcAnswer, encodeRpcCall } from '../protocol/rpc-packets.ts'
import type { Settings } from './config/index.ts'
import { PolywsgiError } from './errors.ts'
import { connectTo, requestRemote } from './gateway/remote-client.ts'
import { type HookEnvironment, HookError, HookExit } from './hooks/action.ts'
import type { HookPhase } from './hooks/phases.ts'
import { checkActions, type HookPlan, type HookStep } from './hooks/plan.ts'
import { runPhase, runSteps } from './hooks/run-phase.ts'
import type { Logger } from './log/logger.ts'
import { TouchedFiles } from './master/touched-files.ts'
import type { Plugin } from './plugin/plugin.ts'
import type { PluginSource } from './plugin/plugin-source.ts'
import type { Services } from './services.ts'

export interface MasterHooksOptions {
  readonly plan: HookPlan
  readonly settings: Pick<Settings, 'pluginTimeout' | 'socketTimeout'>
  readonly logger: Logger
  readonly cwd: string
  readonly services: Pick<Services, 'alarms' | 'callRpc'>
  readonly sources: readonly PluginSource[]
  plugins(): readonly Plugin[]
  /** The action `exit` of a server that runs. */
  onExit(): void
}

type Life = 'starting' | 'serving' | 'reloading' | 'stopped'

const waitLimitMs = 60_000
const connectMs = 1000

export class MasterHooks {
  /** What an action `exit` of a server that runs has asked for. */
  exitCode: number | undefined
  readonly #options: MasterHooksOptions
  readonly #stopping = new AbortController()
  readonly #unixSignals = new Map<NodeJS.Signals, () => void>()
  readonly #touchedFiles = new TouchedFiles()
  #touched: Promise<void> = Promise.resolve()
  #life: Life = 'starting'
  #hasBegun = false

  constructor(options: MasterHooksOptions) {
    this.#options = options
  }

  /** The plugins are loaded, and nothing else has happened. @throws ConfigError for an unknown action, HookError, HookExit */
  async begin(): Promise<void> {
    const { plan, plugins, sources } = this.#options
    // What a plugin in a guest's language brings, only threads know.
    const areAllHere = sources.every(({ language }) => language === undefined)
    checkActions(plan, plugins(), areAllHere ? ['master', 'worker', 'mule'] : ['master'])
    this.#hasBegun = true
    for (const phase of ['asap', 'pre-jail', 'in-jail', 'as-root', 'as-user'] as const) await this.#run(phase)
  }

  /** The threads are started next. @throws HookError, HookExit */
  async beforeApps(): Promise<void> {
    await this.#run('pre-app')
  }

  /** Every thread has loaded its apps. @throws HookError, HookExit */
  async afterApps(): Promise<void> {
    await this.#run('post-app')
  }

  /** Everything runs. @throws HookError, HookExit */
  async masterStarted(): Promise<void> {
    await this.#run('master-start')
    if (this.#life !== 'starting') return
    this.#watchFiles()
    this.#life = 'serving'
  }

  /** A reload begins: what uWSGI runs before and after it has put itself in its own place. @throws HookError */
  async reloadStarted(): Promise<void> {
    this.#life = 'reloading'
    for (const phase of ['as-user-atexit', 'asap', 'in-jail', 'as-root', 'as-user'] as const) await this.#run(phase)
  }

  /** Done or given up: the server goes on. */
  reloadEnded(): void {
    if (this.#life === 'reloading') this.#life = 'serving'
  }

  /** The server stops: what is waited for in a phase is not waited for any more. */
  beginStop(): void {
    this.#life = 'stopped'
    this.#stopping.abort()
    this.#touchedFiles.close()
  }

  /** The threads have ended. */
  async atExit(): Promise<void> {
    await this.#touched
    if (this.#hasBegun) {
      const { plan } = this.#options
      try {
        await runPhase(plan, 'as-user-atexit', this.#environment(new AbortController().signal))
      } catch (error) {
        if (!(error instanceof HookExit)) throw error
        this.exitCode = error.exitCode
      }
    }
    for (const [name, handler] of this.#unixSignals) process.off(name, handler)
    this.#unixSignals.clear()
  }

  async #run(phase: HookPhase, steps?: readonly HookStep[]): Promise<void> {
    const { plan, onExit } = this.#options
    // Differs from uWSGI: a hook that fails on a reload ends the reload, not the server.
    const consequence = this.#life === 'starting' ? 'destroying instance' : 'the reload is given up'
    try {
      await runSteps(steps ?? plan.phases[phase] ?? [], phase, this.#environment(this.#stopping.signal), consequence)
    } catch (error) {
      if (!(error instanceof HookExit) || this.#life === 'starting') throw error
      this.exitCode = error.exitCode
      onExit()
      throw new HookError(error.message, { cause: error })
    }
  }

  #environment(signal: AbortSignal): HookEnvironment {
    const { logger, plugins, settings, services } = this.#options
    return {
      place: 'master',
      log: logger,
      plugins,
      callLimitMs: settings.pluginTimeout * 1000,
      waitLimitMs,
      signal,
      raiseAlarm: (name, message) => services.alarms.raise(name, message),
      callRpc: (node, name, args) => (node === '' ? services.callRpc(name, args) : this.#callRemote(node, name, args)),
      canConnect: async (address) => {
        try {
          ;(await connectTo(address, connectMs)).destroy()
          return true
        } catch {
          return false
        }
      },
      onUnixSignal: (name, handler) => {
        const before = this.#unixSignals.get(name)
        if (before !== undefined) process.off(name, before)
        this.#unixSignals.set(name, handler)
        process.on(name, handler)
      },
    }
  }

  async #callRemote(node: string, name: string, args: readonly Uint8Array[]): Promise<Uint8Array | undefined> {
    const { settings, logger } = this.#options
    const timeoutMs = settings.socketTimeout * 1000
    const request = encodeRpcCall({ name: Buffer.from(name), args })
    const log = (line: string): void => logger.text(line)
    const bytes = await requestRemote({ address: node, request, reply: 'packet', timeoutMs }, { log })
    if (bytes === undefined) return undefined
    const answer = decodeRpcAnswer(bytes)
    if ('fault' in answer) throw new PolywsgiError('API_IO', `node ${node}, asked for '${name}': ${answer.fault}`)
    return answer.result
  }

  #watchFiles(): void {
    const { plan, cwd } = this.#options
    for (const step of plan.phases.touch ?? []) {
      this.#touchedFiles.watch(resolve(cwd, step.file as string), () => {
        // One after the other, whatever comes meanwhile.
        this.#touched = this.#touched.then(() => this.#run('touch', [step])).catch(() => {})
      })
    }
  }
}
