// What one worker keeps of Lua: the state, a Lua thread per core, the place where request variables are laid down.
// A core serves one request at a time, so its thread is its request's; a thread that ended badly is reset, not replaced,
// because making one allocates outside of any protected call. All are anchored for the life of the state.
import { readFileSync } from 'node:fs'
import { AppLoadError, PolywsgiError } from '../../host/errors.ts'
import type { AppMount } from '../../host/plugin/app.ts'
import type { WorkerContext } from '../../host/plugin/plugin.ts'
import { maxBlockSize } from '../../protocol/packet.ts'
import { decoded } from './errors.ts'
import { type LuaModules, luaStatus, type Pointer } from './glue.ts'
import { ModuleFiles, sourceOf } from './module-files.ts'
import { LuaRuntime, type Reference } from './runtime.ts'
import { openSandbox, type Sandbox } from './sandbox.ts'

/** A packet's vars, and behind them those that the host appends when it splits SCRIPT_NAME from PATH_INFO. */
const maxVarsSize = 2 * maxBlockSize

export class LuaWorker {
  readonly runtime: LuaRuntime
  readonly #sandbox: Sandbox
  readonly #packageRoots: readonly string[]
  readonly #threads: Pointer[]
  readonly #loader: Pointer
  readonly #vars: Pointer
  readonly #varsLength: Pointer

  /** @throws Error when Lua does not start within the memory limit */
  constructor(modules: LuaModules, context: WorkerContext<LuaModules>) {
    const runtime = new LuaRuntime(modules, { memoryLimit: context.memoryLimit, log: context.log })
    this.runtime = runtime
    this.#packageRoots = context.pythonPath
    this.#sandbox = openSandbox(runtime, context.api)
    this.#loader = runtime.newThread()
    this.#threads = Array.from({ length: context.cores }, () => runtime.newThread())

    this.#vars = runtime.allocate(maxVarsSize)
    this.#varsLength = runtime.allocate(4)
    runtime.companion.varsStart.value = this.#vars
    runtime.companion.varsLength.value = this.#varsLength
    runtime.companion.previousStart.value = runtime.allocate(maxVarsSize)
  }

  threadOf(coreId: number): Pointer {
    const thread = this.#threads[coreId]
    if (thread === undefined) throw new Error(`core ${coreId} of a worker with ${this.#threads.length}`)
    return thread
  }

  /** Puts a vars block where the next `newEnv` reads it. */
  layVars(vars: Uint8Array): void {
    if (vars.length > maxVarsSize) {
      throw new PolywsgiError('PACKET_MALFORMED', `request variables of ${vars.length} bytes (max ${maxVarsSize})`)
    }
    this.runtime.bytes.set(vars, this.#vars)
    this.runtime.view.setUint32(this.#varsLength, vars.length, true)
  }

  /** Ends the line that `env.error` may have left unfinished. */
  endErrorLine(): void {
    this.#sandbox.errorLog.flush()
  }

  /**
   * Runs an app's file in a world of its own and keeps the function that serves its requests.
   * @throws AppLoadError with Lua's message, and its traceback as `details`
   */
  load(mount: AppMount): Reference {
    const { runtime } = this
    const files = new ModuleFiles(mount.source, this.#packageRoots)
    const id = this.#sandbox.moduleFiles.push(files) - 1
    runtime.entryArguments = [id, files.path, readSource(mount.source), `@${mount.source}`, mount.callable ?? '']
    try {
      runtime.push(this.#loader, this.#sandbox.mount)
      const status = runtime.resume(this.#loader, 0)
      if (status !== luaStatus.ok) {
        const failure = runtime.fail(this.#loader, status)
        throw new AppLoadError(`cannot load the Lua app ${mount.source}: ${decoded(failure.message)}`, decoded(failure.traceback))
      }
      runtime.lua.lua_settop(this.#loader, 0)
      return this.#sandbox.takeKept()
    } finally {
      runtime.entryArguments = []
      this.endErrorLine()
    }
  }
}

const readSource = (file: string): Uint8Array => {
  try {
    return sourceOf(readFileSync(file))
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (error as Error).message
    throw new AppLoadError(`cannot load the Lua app ${file}: ${reason}`, '', { cause: error })
  }
}
