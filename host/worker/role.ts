// What a thread has when its apps are loaded, whatever it is to do now.

import type { Logger } from '../log/logger.ts'
import type { Plugin, WorkerContext } from '../plugin/plugin.ts'
import type { PluginRegistry } from '../plugin/registry.ts'
import type { ThreadStart } from './messages.ts'
import type { ThreadContext } from './thread-context.ts'

export interface Role {
  readonly start: ThreadStart
  readonly context: ThreadContext
  readonly registry: PluginRegistry
  contextOf(plugin: Plugin): WorkerContext
  readonly log: Logger
  /** Runs the plugins' fixup hooks, and what guests have set to run there. */
  fixup(): Promise<void>
  /** Runs the plugins' hooks of a spooler's start. */
  spoolerInit(): Promise<void>
  /** Tells the master. */
  ready(): void
  /** The thread cannot or need not go on. */
  end(reason: string): void
}

/** What `stop` of the master ends: nothing new is begun, and what runs is waited for. */
export interface Work {
  stop(): Promise<void>
}
