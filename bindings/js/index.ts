// The JavaScript plugin: guests run in QuickJS, one interpreter per worker. The master compiles it once, workers get the
// compiled module. Invariant: a thread without JavaScript apps boots nothing, and none of its hooks does anything.
import { GuestError } from '../../host/errors.ts'
import type { Plugin, WorkerContext } from '../../host/plugin/plugin.ts'
import type { WsgiRequest } from '../../host/request/wsgi-request.ts'
import { Apps, appExtensions } from './app.ts'
import { language } from './errors.ts'
import { Hooks } from './hooks.ts'
import { Runtime } from './runtime.ts'
import { compileImage, type Image } from './wasm-image.ts'

export { FatalGuestError } from './errors.ts'

/** What crosses from the master to its workers. */
export interface JsPluginData {
  readonly image: Image
}

export interface JsPluginOptions {
  /** How long an app may take to load, its top-level awaits included. */
  readonly loadTimeoutMs?: number
}

const defaultLoadTimeoutMs = 30_000

/** Everything of one thread, once it has booted. */
interface Booted {
  readonly runtime: Runtime
  readonly apps: Apps
  readonly hooks: Hooks
}

const isProgramOfOurs = (file: string): boolean => appExtensions.some((extension) => file.endsWith(extension))

export const createJsPlugin = (options: JsPluginOptions = {}): Plugin<JsPluginData> => {
  let booted: Booted | undefined

  /** Boots what has not been booted: an app or a program that nobody had announced when the master started. */
  const boot = async (context: WorkerContext<JsPluginData>): Promise<Booted> => {
    if (booted !== undefined) return booted
    const start = performance.now()
    const runtime = await Runtime.boot({
      image: context.data?.image ?? (await compileImage()),
      memoryLimit: context.memoryLimit,
      log: context.log,
      api: context.api,
      owner: plugin,
      sharedDirectories: context.pythonPath,
    })
    const apps = new Apps(runtime, options.loadTimeoutMs ?? defaultLoadTimeoutMs)
    booted = { runtime, apps, hooks: new Hooks(runtime) }
    context.booted('js', performance.now() - start, () => runtime.engine.memory.buffer.byteLength)
    return booted
  }

  const functions = (): Runtime['functions'] => {
    if (booted === undefined) throw new Error('no JavaScript runs in this thread, so no function of it can be called')
    return booted.runtime.functions
  }

  const plugin: Plugin<JsPluginData> = {
    name: 'js',
    alias: 'v8',
    modifier1: 24,
    appExtensions,

    async init(context) {
      if (context.isNeeded) plugin.data = { image: await compileImage() }
    },

    async postFork(context) {
      if (context.data !== undefined) await boot(context)
    },

    async mountApp(mount, context) {
      return isProgramOfOurs(mount.source) ? (await boot(context)).apps.mount(mount) : undefined
    },

    fixup() {
      return booted?.hooks.postFork()
    },

    request(request) {
      if (booted !== undefined) return booted.apps.request(request)
      request.setHead('500 Internal Server Error', 'Content-Type\0text/plain')
      request.finish(Buffer.from('Internal Server Error'))
      return -1
    },

    currentRequest(): WsgiRequest | null | undefined {
      if (booted === undefined) return undefined
      const { hooks, runtime } = booted
      return hooks.endedRequest ?? runtime.requests.current ?? (runtime.suspension.isRunningJobs ? null : undefined)
    },

    afterRequest(request) {
      booted?.hooks.afterRequest(request)
    },

    rpc(handler, args) {
      const table = functions()
      return table.callWithBytes(table.handler(handler as number), args, table.readBytes)
    },

    signalHandler(signum, handler) {
      const table = functions()
      return table.callWithInteger(table.handler(handler as number), signum, () => true as boolean)
    },

    releaseFunction(handler) {
      booted?.runtime.functions.release(handler as number)
    },

    muleMsg(message) {
      return booted?.hooks.muleMessage(message) ?? false
    },

    async mule(program, context) {
      if (!isProgramOfOurs(program)) return false
      await (await boot(context)).hooks.runProgram(program)
      return true
    },

    spooler(file, vars, body) {
      return booted?.hooks.spooler(file, vars, body) ?? 0
    },

    atexit() {
      booted?.hooks.atexit()
      booted?.runtime.suspension.close()
    },

    exceptionLog(error): GuestError | undefined {
      return error instanceof GuestError && error.language === language ? error : undefined
    },
  }
  return plugin
}

export default createJsPlugin()
