// Calls the hooks of one thread's plugins, in the order that the hook table gives, and keeps a plugin that fails from taking
// the others with it.
// Invariant: an error is told with the plugin's and the hook's name, once; a plugin that failed at the start is never called again.
import type { Log } from '../api/context.ts'
import { GuestError, PolywsgiError } from '../errors.ts'
import { boundedCall, boundedSync, OverrunError } from './bounded-call.ts'
import type { HookName } from './hook-table.ts'
import type { Plugin } from './plugin.ts'
import type { PluginRegistry } from './registry.ts'
import { isFatal, isThrown, promised, thrownText } from './thrown.ts'

type MaybePromise<T> = T | Promise<T>

export interface PluginHooksOptions {
  readonly registry: PluginRegistry
  readonly log: Log
  /** How long a hook of the start may take, and any of the master. */
  readonly limitMs: number
  /** A hook of the start was stopped for its time, or has cost its interpreter: what it ran in is not to be entered again. */
  onLost?(plugin: Plugin, hook: HookName): void
}

export class PluginHooks {
  readonly #options: PluginHooksOptions

  constructor(options: PluginHooksOptions) {
    this.#options = options
  }

  /**
   * A hook of the start. A plugin whose hook throws or overruns is dropped, and the others go on.
   * @throws PolywsgiError PLUGIN_HOOK for a plugin that the server cannot be without
   */
  async start(hook: HookName, call: (plugin: Plugin) => MaybePromise<unknown>): Promise<void> {
    const { registry, limitMs } = this.#options
    for (const plugin of registry.withHook(hook)) {
      try {
        // Those of ours may take what they need: Python takes its time on a small machine.
        if (registry.isBuiltIn(plugin)) await call(plugin)
        else await boundedCall(() => call(plugin), limitMs)
      } catch (error) {
        this.failed(plugin, hook, error)
      }
    }
  }

  /**
   * Drops a plugin that has failed at the start.
   * @throws PolywsgiError PLUGIN_HOOK for one that the server cannot be without
   */
  failed(plugin: Plugin, hook: HookName, error: unknown): void {
    const { registry, log, onLost } = this.#options
    if (isThrown(error, OverrunError) || isFatal(error)) onLost?.(plugin, hook)
    const message = hookFailure(plugin, hook, error)
    if (registry.isRequired(plugin)) throw new PolywsgiError('PLUGIN_HOOK', message, { cause: error })
    registry.drop(plugin)
    log.text(`!!! ${message}\n!!! the server goes on without plugin ${plugin.name} !!!`)
  }

  /**
   * A hook of a running server that answers at once; what it throws is in the log.
   * @param isEnough looks at an answer: true ends the asking
   * @returns whether an answer was enough
   */
  run<T>(hook: HookName, call: (plugin: Plugin) => T, isEnough?: (answer: T) => boolean): boolean {
    const { registry, log, limitMs } = this.#options
    for (const plugin of registry.withHook(hook)) {
      try {
        const answer = boundedSync(() => call(plugin), limitMs)
        if (isEnough?.(answer) === true) return true
        // It is not waited for, and what it rejects with must not end the process.
        promised<unknown>(answer)?.catch((error: unknown) => log.text(hookFailure(plugin, hook, error)))
      } catch (error) {
        log.text(hookFailure(plugin, hook, error))
      }
    }
    return false
  }
}

/** `plugin foobar: init hook raised: Error: ...`, with the guest's own traceback where the plugin knows it. */
export const hookFailure = (plugin: Plugin, hook: HookName, error: unknown): string => {
  const name = `plugin ${plugin.name}: ${hook} hook`
  if (isThrown(error, OverrunError)) return `${name} ${error.message}`
  // Where it was stopped is told already.
  if (isThrown(error, PolywsgiError) && error.code === 'HARAKIRI') return `${name} was stopped: ${error.message}`
  return `${name} raised: ${reportOf(plugin, error)}`
}

/** The guest's own traceback where the plugin knows it, else the stack of what was thrown, or its text. */
export const reportOf = (plugin: Plugin, error: unknown): string => {
  const report = guestReport(plugin, error)
  if (report !== undefined) return report
  return isThrown(error, GuestError) ? error.report : withoutOwnFrames(thrownText(error))
}

/** The guest's own traceback, where the plugin knows it. */
export const guestReport = (plugin: Plugin, error: unknown): string | undefined => {
  try {
    const told: unknown = plugin.exceptionLog?.(error)
    promised<unknown>(told)?.catch(() => {})
    return isThrown(told, GuestError) ? told.report : undefined
  } catch {
    // What was thrown first is what counts.
    return undefined
  }
}

const ownFolder = new URL('.', import.meta.url).href

/** An author can do nothing with frames of ours and of Node's; where there are no others, they are better than none. */
const withoutOwnFrames = (stack: string): string => {
  const lines = stack.split('\n')
  const isFrame = (line: string): boolean => /^\s+at /.test(line)
  const isForeign = (line: string): boolean => !line.includes(ownFolder) && !/\(?node:/.test(line)
  if (!lines.some((line) => isFrame(line) && isForeign(line))) return stack
  return lines.filter((line) => !isFrame(line) || isForeign(line)).join('\n')
}
