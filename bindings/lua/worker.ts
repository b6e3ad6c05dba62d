// What one worker, mule or spooler keeps of Lua: the state, Lua threads for requests, the place where request variables are laid
// down, the ways to run something beside requests.
// A request has a thread while it is served; threads are made when they are needed, and some are kept: of ten thousand cores most
// are idle. One that ended badly is reset, not replaced.
import { readFileSync, realpathSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { CoreWaits } from '../../host/api/context.ts'
import type { GuestFiles } from '../../host/api/guest-access.ts'
import type { FunctionOwner } from '../../host/api/guest-function.ts'
import { AppLoadError, GuestError, PolywsgiError } from '../../host/errors.ts'
import type { AppMount } from '../../host/plugin/app.ts'
import type { GuestFile } from '../../host/plugin/guest-plugin.ts'
import type { Plugin, WorkerContext } from '../../host/plugin/plugin.ts'
import type { WsgiRequest } from '../../host/request/wsgi-request.ts'
import { maxBlockSize } from '../../protocol/packet.ts'
import { Answer } from './answer.ts'
import { pushBytes, pushInteger, pushText } from './convert.ts'
import { FatalGuestError, StoppedError } from './errors.ts'
import type { LuaModules, Pointer } from './glue.ts'
import type { GuestHooks } from './hooks.ts'
import { ModuleFiles, sourceOf } from './module-files.ts'
import { LuaRuntime, type LuaThread, type Reference } from './runtime.ts'
import { openSandbox, type Sandbox } from './sandbox.ts'
import { Task } from './task.ts'

/** A packet's vars, and behind them those that the host appends when it splits SCRIPT_NAME from PATH_INFO. */
const maxVarsSize = 2 * maxBlockSize

/** So many threads are kept for the requests to come, a kilobyte each. */
const mostIdle = 256

export class LuaWorker {
  readonly runtime: LuaRuntime
  readonly #sandbox: Sandbox
  readonly #packageRoots: readonly string[]
  readonly #files: GuestFiles
  /** True: a worker with several cores, whose requests may wait for each other. */
  readonly isAsync: boolean
  readonly #idle: LuaThread[]
  readonly #waits: CoreWaits
  readonly #vars: Pointer
  readonly #varsLength: Pointer

  /**
   * @param owner whose the functions are that guests hand to the API: the plugin
   * @throws Error when Lua does not start within the memory limit
   */
  constructor(modules: LuaModules, context: WorkerContext<LuaModules>, owner: FunctionOwner) {
    const runtime = new LuaRuntime(modules, {
      memoryLimit: context.memoryLimit,
      log: context.log,
      stops: context.stops,
    })
    this.runtime = runtime
    this.#packageRoots = context.pythonPath
    this.isAsync = context.cores > 1 && context.thread.kind === 'worker'
    this.#waits = context.server.waits
    const { access } = context.server
    const { isAsync } = this
    this.#files = access.openFiles()
    for (const directory of context.pythonPath) this.#files.show(resolve(directory))
    this.#sandbox = openSandbox(runtime, context.api, {
      owner,
      memoryLimit: context.memoryLimit,
      isAsync,
      files: this.#files,
      environment: access.environment,
    })
    this.#idle = [runtime.newThread()]

    this.#vars = runtime.allocate(maxVarsSize)
    this.#varsLength = runtime.allocate(4)
    runtime.companion.varsStart.value = this.#vars
    runtime.companion.varsLength.value = this.#varsLength
    runtime.companion.previousStart.value = runtime.allocate(maxVarsSize)
  }

  /**
   * Begins a request.
   * @param goOn runs an answer on that has waited
   * @throws GuestError when there is no memory for the core's thread
   */
  open(request: WsgiRequest, goOn: (answer: Answer) => void): Answer {
    const { runtime } = this
    const core = this.#idle.pop() ?? runtime.makeThread()
    const answer = new Answer(runtime.log, request, core)
    if (this.isAsync) answer.task = new Task(runtime, core.thread, () => goOn(answer))
    return answer
  }

  /** The request is done with, its thread free again. */
  close(answer: Answer): void {
    const { runtime } = this
    answer.endErrorLine()
    if (runtime.isDead) return
    const { core, task } = answer
    task?.end()
    if (answer.isAbandoned) {
      runtime.abandonThread(core)
      return
    }
    runtime.lua.lua_settop(core.thread, 0)
    if (this.#idle.length < mostIdle) this.#idle.push(core)
    else runtime.dropThread(core)
  }

  /** Waits for what the request has registered, or lets others have their turn. Undefined: there is nothing to wait for. */
  commitWaits(): Promise<void> | undefined {
    return this.#waits.commit()
  }

  /** Puts a vars block where the next `newEnv` reads it. */
  layVars(vars: Uint8Array): void {
    if (vars.length > maxVarsSize) {
      throw new PolywsgiError('PACKET_MALFORMED', `request variables of ${vars.length} bytes (max ${maxVarsSize})`)
    }
    this.runtime.bytes.set(vars, this.#vars)
    this.runtime.view.setUint32(this.#varsLength, vars.length, true)
  }

  /** Runs `run` with what a guest may call of it; ends the log line that it may have left unfinished. */
  callGuest<T>(run: (hooks: GuestHooks) => T): T {
    try {
      return run(this.#sandbox.hooks)
    } finally {
      // Inside a request the line is the request's.
      const { serving } = this.runtime
      if (serving.request === undefined) serving.endErrorLine()
    }
  }

  /**
   * Runs an app's file in a world of its own and keeps the function that serves its requests.
   * @throws AppLoadError with Lua's message, and its traceback as `details`
   */
  load(mount: AppMount): Reference {
    const source = readSource(mount.source, 'the Lua app')
    try {
      this.#runFile(this.#sandbox.mount, mount.source, source, mount.callable)
    } catch (error) {
      if (!isOwnFault(error)) throw error
      throw new AppLoadError(`cannot load the Lua app ${mount.source}: ${error.message}`, error.traceback)
    }
    return this.#sandbox.takeKept()
  }

  /**
   * Runs a file to its end in a world of its own.
   * @throws GuestError what it raised; AppLoadError when it cannot be read
   */
  runProgram(file: string): void {
    this.#runFile(this.#sandbox.runProgram, file, readSource(file, 'the Lua program'), undefined)
  }

  /**
   * Runs a plugin's file in a world of its own.
   * @throws AppLoadError with Lua's message, and its traceback as `details`
   */
  loadPlugin(file: string, language: Plugin): GuestFile {
    const source = readSource(file, 'the Lua plugin')
    try {
      this.#runFile(this.#sandbox.loadPlugin, file, source, undefined)
    } catch (error) {
      if (!isOwnFault(error)) throw error
      // Lua names a file by the end of its path, where that is long, and not at all where no line of it is to blame.
      const message = error.message.includes('.lua:') ? error.message : `${file}: ${error.message}`
      throw new AppLoadError(message, error.traceback)
    }
    return this.#sandbox.pluginFiles.takeLoaded(file, language)
  }

  #runFile(entry: Reference, file: string, source: Uint8Array, callable: string | undefined): void {
    const { runtime } = this
    const files = new ModuleFiles(file, this.#packageRoots)
    this.#files.show(dirname(resolve(file)))
    this.#files.show(dirname(realpathSync(file)))
    const id = this.#sandbox.moduleFiles.push(files) - 1
    const pushArguments = (L: Pointer): number => {
      pushInteger(runtime, L, id)
      pushText(runtime, L, files.path)
      pushBytes(runtime, L, source)
      pushText(runtime, L, `@${file}`)
      pushText(runtime, L, callable ?? '')
      return 5
    }
    try {
      this.#sandbox.entries.run(entry, pushArguments, () => {})
    } finally {
      this.runtime.serving.endErrorLine()
    }
  }
}

/** It raised, or took too long. */
const isOwnFault = (error: unknown): error is GuestError | StoppedError =>
  error instanceof StoppedError || (error instanceof GuestError && !(error instanceof FatalGuestError))

const readSource = (file: string, what: string): Uint8Array => {
  try {
    return sourceOf(readFileSync(file))
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (error as Error).message
    throw new AppLoadError(`cannot load ${what} ${file}: ${reason}`, '', { cause: error })
  }
}
