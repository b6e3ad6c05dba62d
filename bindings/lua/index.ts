// The Lua plugin: WSAPI apps on Lua 5.4, modifier1 6. The interpreter is compiled in the master and instantiated in every
// worker; a worker has one state for all its apps, each app a world of globals and modules of its own.
// Differs from uWSGI: any number of apps per worker (uWSGI loads one), and one state for all cores (uWSGI: one for each).
import { GuestError } from '../../host/errors.ts'
import { guestPlugin } from '../../host/plugin/guest-plugin.ts'
import type { Plugin, WorkerContext } from '../../host/plugin/plugin.ts'
import { LuaApp } from './app.ts'
import { HeldFunction } from './functions.ts'
import { compileLua, type LuaModules } from './glue.ts'
import { LuaWorker } from './worker.ts'

const appExtensions = ['.lua', '.ws']

/** What `spooler` answers for a job that no guest takes. */
const notMine = 0

/** A plugin of its own, for programs that boot more than one in a thread. */
export const createLuaPlugin = (): Plugin<LuaModules> => {
  let worker: LuaWorker | undefined

  const withWorker = <T>(use: (lua: LuaWorker) => T): T => {
    if (worker === undefined) throw new Error('lua: the interpreter is not running')
    return use(worker)
  }

  const boot = (modules: LuaModules, context: WorkerContext<LuaModules>): LuaWorker => {
    const started = performance.now()
    const booted = new LuaWorker(modules, context, plugin)
    context.booted('lua', performance.now() - started, () => booted.runtime.bytes.length)
    return booted
  }

  const plugin: Plugin<LuaModules> = {
    name: 'lua',
    modifier1: 6,
    // .ws: WSAPI files, as uWSGI has it.
    appExtensions,

    async init(context) {
      if (context.isNeeded) plugin.data = await compileLua()
    },

    postFork(context) {
      // Not compiled: no app of this server is written in Lua.
      if (context.data !== undefined) worker = boot(context.data, context)
    },

    async mountApp(mount, context) {
      // An app that nobody had announced when the master started.
      worker ??= boot(await compileLua(), context)
      return new LuaApp(worker, mount.source, worker.load(mount))
    },

    pluginExtensions: ['.lua'],

    async loadPlugin(file, context) {
      worker ??= boot(await compileLua(), context)
      return guestPlugin(worker.loadPlugin(file, plugin))
    },

    fixup() {
      worker?.callGuest((hooks) => hooks.run('post_fork_hook'))
    },

    request(request) {
      const app = request.app?.handle
      if (app instanceof LuaApp) return app.serve(request)
      worker?.runtime.log.text('lua: no app is mounted for this request')
      request.setHead('500 Internal Server Error', 'Content-Type\0text/plain')
      request.finish(Buffer.from('Internal Server Error'))
      return -1
    },

    afterRequest() {
      worker?.callGuest((hooks) => hooks.run('after_req_hook'))
    },

    currentRequest: () => worker?.runtime.serving.request,

    rpc: (handler, args, mayWait = false) =>
      withWorker((lua) => lua.callGuest((hooks) => hooks.rpc(handler, args, mayWait && lua.isAsync))),

    signalHandler: (signum, handler) =>
      withWorker((lua) => lua.callGuest((hooks) => hooks.signal(handler, signum, lua.isAsync && lua.runtime.isIdle))),

    releaseFunction(handler) {
      if (handler instanceof HeldFunction) handler.release()
    },

    async mule(program, context) {
      if (!appExtensions.some((extension) => program.endsWith(extension))) return false
      worker ??= boot(await compileLua(), context)
      worker.runProgram(program)
      return true
    },

    muleMsg: (message) => worker?.callGuest((hooks) => hooks.muleMessage(message)) ?? false,

    spooler: (file, vars, body) => worker?.callGuest((hooks) => hooks.spool(file, vars, body)) ?? notMine,

    exceptionLog: (error) => (error instanceof GuestError && error.language === 'lua' ? error : undefined),

    atexit() {
      try {
        worker?.callGuest((hooks) => hooks.run('atexit'))
      } finally {
        worker = undefined
      }
    },
  }
  return plugin
}

export default createLuaPlugin()
