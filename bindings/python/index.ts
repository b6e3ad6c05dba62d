// The Python plugin: WSGI applications (PEP 3333) on CPython, compiled to wasm by the Pyodide project. The master prepares
// the module and the standard library once; each worker, mule and spooler boots an interpreter of its own from them.
import { GuestError } from '../../host/errors.ts'
import { guestPlugin } from '../../host/plugin/guest-plugin.ts'
import type { Plugin, RequestResult, WorkerContext } from '../../host/plugin/plugin.ts'
import type { WsgiRequest } from '../../host/request/wsgi-request.ts'
import { PythonApp } from './app.ts'
import { Callback } from './callbacks.ts'
import { prepareEngineForCores } from './engine-flags.ts'
import { loadImage, type PythonImage } from './image.ts'
import { Interpreter } from './runtime.ts'
import { PythonWorker } from './worker.ts'

export { FatalGuestError } from './errors.ts'

/** What `init` leaves for the workers; undefined when no app needs Python. */
type PythonData = PythonImage | undefined

const workers = new WeakMap<WorkerContext<PythonData>, PythonWorker>()
/** One, in a server's thread; hooks without a context are offered to each. */
const open = new Set<PythonWorker>()

const plugin: Plugin<PythonData> = {
  name: 'python',
  modifier1: 0,
  appExtensions: ['.py', '.wsgi'],

  async init(context) {
    if (context.isNeeded) this.data ??= await loadImage()
  },

  enableThreads: prepareEngineForCores,

  async postFork(context) {
    if (context.data !== undefined) await boot(context.data, context)
  },

  async mountApp(mount, context) {
    return await workers.get(context)?.apps.mount(mount)
  },

  pluginExtensions: ['.py'],

  async loadPlugin(file, context) {
    const worker = workers.get(context) ?? (await boot(await loadImage(), context))
    return guestPlugin(worker.loadPlugin(file, plugin))
  },

  fixup(context) {
    return workers.get(context)?.hooks.postFork()
  },

  request(request): RequestResult | Promise<RequestResult> {
    const app = request.app?.handle
    if (app instanceof PythonApp) return app.apps.request(request, app)
    return answerWithoutApp(request)
  },

  afterRequest(request) {
    const app = request.app?.handle
    return app instanceof PythonApp ? app.apps.hooks.afterRequest() : undefined
  },

  rpc: (handler, args) => callbackOf(handler).rpc(args),

  signalHandler(signum, handler) {
    const running = callbackOf(handler).signal(signum)
    return running instanceof Promise ? running.then(() => true) : true
  },

  currentRequest() {
    for (const worker of open) {
      const request = worker.currentRequest
      if (request !== undefined) return request
    }
    return undefined
  },

  releaseFunction(handler) {
    callbackOf(handler).release()
  },

  async mule(program, context) {
    return workers.get(context)?.mule(program) ?? false
  },

  muleMsg(message) {
    for (const worker of open) {
      const running = worker.hooks.muleMessage(message)
      if (running !== false) return running
    }
    return false
  },

  spooler(file, vars, body) {
    for (const worker of open) {
      const answer = worker.hooks.spool(file, vars, body)
      if (answer !== 0) return answer
    }
    return 0
  },

  atexit() {
    for (const worker of open) worker.close()
    open.clear()
  },

  exceptionLog: (error) => (error instanceof GuestError && error.language === 'python' ? error : undefined),
}

export default plugin

const boot = async (image: PythonImage, context: WorkerContext<PythonData>): Promise<PythonWorker> => {
  const start = performance.now()
  const { log, memoryLimit, thread } = context
  // Only workers have requests.
  const options = { log, memoryLimit, cores: thread.kind === 'worker' ? context.cores : 1 }
  const interpreter = await Interpreter.boot({ image, ...options })
  const worker = interpreter.enter(() => new PythonWorker(interpreter, context, plugin))
  // Booted anew: the one before is not to be entered again.
  const before = workers.get(context)
  if (before !== undefined) open.delete(before)
  workers.set(context, worker)
  open.add(worker)
  context.booted('python', performance.now() - start, () => interpreter.api.bytes.length)
  return worker
}

const callbackOf = (handler: unknown): Callback => {
  if (handler instanceof Callback) return handler
  throw new TypeError('python: not a function that this plugin handed out')
}

/** As uWSGI answers: 500, and the reason is in the log of the start. */
const answerWithoutApp = (request: WsgiRequest): RequestResult => {
  request.setHead('500 Internal Server Error', 'Content-Type\0text/plain')
  request.finish(Buffer.from('Internal Server Error'))
  return -1
}
