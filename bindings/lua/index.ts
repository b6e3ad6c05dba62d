// The Lua plugin: WSAPI apps on Lua 5.4, modifier1 6. The interpreter is compiled in the master and instantiated in every
// worker; a worker has one state for all its apps, each app a world of globals and modules of its own.
// Differs from uWSGI: any number of apps per worker (uWSGI loads one), and one state for all cores (uWSGI: one for each).
import { GuestError } from '../../host/errors.ts'
import type { Plugin, WorkerContext } from '../../host/plugin/plugin.ts'
import { LuaApp } from './app.ts'
import { compileLua, type LuaModules } from './glue.ts'
import { LuaWorker } from './worker.ts'

/** A plugin of its own, for programs that boot more than one in a thread. */
export const createLuaPlugin = (): Plugin<LuaModules> => {
  let worker: LuaWorker | undefined

  const plugin: Plugin<LuaModules> = {
    name: 'lua',
    modifier1: 6,
    // .ws: WSAPI files, as uWSGI has it.
    appExtensions: ['.lua', '.ws'],

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

    request(request) {
      const app = request.app?.handle
      if (app instanceof LuaApp) return app.serve(request)
      worker?.runtime.log.text('lua: no app is mounted for this request')
      request.setHead('500 Internal Server Error', 'Content-Type\0text/plain')
      request.finish(Buffer.from('Internal Server Error'))
      return -1
    },

    exceptionLog: (error) => (error instanceof GuestError && error.language === 'lua' ? error : undefined),

    atexit() {
      worker = undefined
    },
  }
  return plugin
}

const boot = (modules: LuaModules, context: WorkerContext<LuaModules>): LuaWorker => {
  const started = performance.now()
  const worker = new LuaWorker(modules, context)
  context.booted('lua', performance.now() - started)
  return worker
}

export default createLuaPlugin()
