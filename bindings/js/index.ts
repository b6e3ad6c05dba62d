// The JavaScript plugin: guests run in QuickJS, one interpreter per worker. The master compiles it once, workers get the
// compiled module. Invariant: a worker without JavaScript apps boots nothing.
import { GuestError } from '../../host/errors.ts'
import type { Plugin, WorkerContext } from '../../host/plugin/plugin.ts'
import type { WasmModule } from '../../host/plugin/web-assembly.ts'
import { Apps, appExtensions } from './app.ts'
import { language } from './errors.ts'
import { Runtime } from './runtime.ts'
import { compileImage } from './wasm-image.ts'

export { FatalGuestError } from './errors.ts'

/** What crosses from the master to its workers. */
export interface JsPluginData {
  readonly image: WasmModule
}

export interface JsPluginOptions {
  /** How long an app may take to load, its top-level awaits included. */
  readonly loadTimeoutMs?: number
}

const defaultLoadTimeoutMs = 30_000

export const createJsPlugin = (options: JsPluginOptions = {}): Plugin<JsPluginData> => {
  let runtime: Runtime | undefined
  let apps: Apps | undefined

  const boot = async (image: WasmModule, context: WorkerContext<JsPluginData>): Promise<Apps> => {
    const start = performance.now()
    runtime = await Runtime.boot({
      image,
      memoryLimit: context.memoryLimit,
      log: context.log,
      api: context.api,
      sharedDirectories: context.pythonPath,
    })
    apps = new Apps(runtime, options.loadTimeoutMs ?? defaultLoadTimeoutMs)
    context.booted('js', performance.now() - start)
    return apps
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
      if (context.data !== undefined) await boot(context.data.image, context)
    },

    async mountApp(mount, context) {
      if (!appExtensions.some((extension) => mount.source.endsWith(extension))) return undefined
      // An app that nobody had announced when the master started.
      apps ??= await boot(context.data?.image ?? (await compileImage()), context)
      return apps.mount(mount)
    },

    request(request) {
      if (apps !== undefined) return apps.request(request)
      request.setHead('500 Internal Server Error', 'Content-Type\0text/plain')
      request.finish(Buffer.from('Internal Server Error'))
      return -1
    },

    atexit() {
      runtime?.suspension.close()
    },

    exceptionLog(error): GuestError | undefined {
      return error instanceof GuestError && error.language === language ? error : undefined
    },
  }
  return plugin
}

export default createJsPlugin()
