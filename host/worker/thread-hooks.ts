// The hooks of the configuration in one thread: which phases it has, and what their actions work on here.
import type { HookEnvironment } from '../hooks/action.ts'
import type { HookPlan } from '../hooks/plan.ts'
import { afterRequestCalls } from '../hooks/plugin-function.ts'
import { runPhase } from '../hooks/run-phase.ts'
import type { Logger } from '../log/logger.ts'
import type { PluginRegistry } from '../plugin/registry.ts'
import type { WsgiRequest } from '../request/wsgi-request.ts'
import type { HookStart } from './messages.ts'
import type { ThreadContext } from './thread-context.ts'

const waitLimitMs = 60_000

export interface ThreadHooksOptions {
  readonly start: HookStart
  readonly context: ThreadContext
  readonly registry: PluginRegistry
  readonly log: Logger
  readonly callLimitMs: number
}

export class ThreadHooks {
  readonly #plan: HookPlan
  readonly #options: ThreadHooksOptions
  readonly #environment: HookEnvironment

  constructor(options: ThreadHooksOptions) {
    const { context, registry, log, callLimitMs } = options
    this.#options = options
    this.#plan = options.start.plan
    const { master, rpc, thread } = context
    this.#environment = {
      place: thread.kind === 'worker' ? 'worker' : 'mule',
      log,
      plugins: () => registry.plugins,
      callLimitMs,
      waitLimitMs,
      // A thread that is to end while it starts is ended where it stands.
      signal: new AbortController().signal,
      raiseAlarm: (name, message) => master.notify('alarm', { name, message }),
      callRpc: async (node, name, args) => rpc.callRemoteAsync(node, name, args),
      canConnect: async (address) => {
        try {
          master.call('close', { fd: master.call('connect', { address, timeoutMs: connectMs }) })
          return true
        } catch {
          return false
        }
      },
    }
  }

  /** The thread has started. @throws HookError */
  async started(): Promise<void> {
    const { kind } = this.#options.context.thread
    if (kind === 'worker') await this.#run('post-fork')
    if (kind === 'mule') await this.#run('as-mule')
  }

  /**
   * The worker is about to take requests.
   * @param isFirstStart it does not take the place of one that has died
   * @throws HookError
   */
  async accepting(isFirstStart: boolean): Promise<void> {
    const isFirst = this.#options.context.thread.workerId === 1
    await this.#run('accepting')
    if (isFirstStart) await this.#run('accepting-once')
    if (isFirst) await this.#run('accepting1')
    if (isFirst && isFirstStart) await this.#run('accepting1-once')
  }

  /**
   * What is to be called after each request; undefined for nothing.
   * @throws ActionFailure for a function that no plugin has
   */
  afterRequest(): ((request: WsgiRequest) => void) | undefined {
    const { registry, log } = this.#options
    return afterRequestCalls(this.#plan.afterRequest, registry.plugins, (line) => log.text(line))
  }

  #run(phase: 'post-fork' | 'as-mule' | 'accepting' | 'accepting-once' | 'accepting1' | 'accepting1-once'): Promise<void> {
    const { start, context } = this.#options
    // Differs from uWSGI: a thread that takes the place of a dead one and whose hook fails is tried again later, and the server goes on.
    const isDestroyed = start.isFirstStart && !context.isReload
    return runPhase(this.#plan, phase, this.#environment, isDestroyed ? 'destroying instance' : 'ending the thread')
  }
}

const connectMs = 1000
