// The Python plugin: WSGI applications (PEP 3333) on CPython, compiled to wasm by the Pyodide project. The master prepares
// the module and the standard library once; each worker boots an interpreter of its own from them.
import { GuestError } from '../../host/errors.ts'
import type { Plugin, RequestResult, WorkerContext } from '../../host/plugin/plugin.ts'
import type { WsgiRequest } from '../../host/request/wsgi-request.ts'
import { PythonApp, PythonWorker } from './app.ts'
import { loadImage, type PythonImage } from './image.ts'
import { installApi } from './install.ts'
import { Interpreter } from './runtime.ts'

export { FatalGuestError } from './errors.ts'

/** What `init` leaves for the workers; undefined when no app needs Python. */
type PythonData = PythonImage | undefined

const workers = new WeakMap<WorkerContext<PythonData>, PythonWorker>()
const open = new Set<PythonWorker>()

const plugin: Plugin<PythonData> = {
  name: 'python',
  modifier1: 0,
  appExtensions: ['.py', '.wsgi'],

  async init(context) {
    if (context.isNeeded) this.data ??= await loadImage()
  },

  async postFork(context) {
    if (context.data === undefined) return
    const start = performance.now()
    const interpreter = await Interpreter.boot({ image: context.data, log: context.log, memoryLimit: context.memoryLimit })
    const worker = interpreter.enter(({ c }) => {
      installApi(interpreter, context.api)
      const module = installApi(interpreter, context.api)
      const attribute = (name: string) => c.PyObject_GetAttrString(module, interpreter.api.name(name))
      return new PythonWorker(interpreter, context, { version: attribute('version'), node: attribute('hostname') })
    })
    workers.set(context, worker)
    open.add(worker)
    context.booted('python', performance.now() - start)
  },

  async mountApp(mount, context) {
    return await workers.get(context)?.mount(mount)
  },

  request(request): RequestResult {
    const app = request.app?.handle
    if (app instanceof PythonApp) return app.worker.request(request, app)
    return answerWithoutApp(request)
  },

  atexit() {
    for (const worker of open) worker.close()
    open.clear()
  },

  exceptionLog: (error) => (error instanceof GuestError && error.language === 'python' ? error : undefined),
}

export default plugin

/** As uWSGI answers: 500, and the reason is in the log of the start. */
const answerWithoutApp = (request: WsgiRequest): RequestResult => {
  request.setHead('500 Internal Server Error', 'Content-Type\0text/plain')
  request.finish(Buffer.from('Internal Server Error'))
  return -1
}
