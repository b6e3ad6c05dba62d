// Loading apps: an ES module, or a CommonJS script, and which of its exports handles requests.
// Invariant: a mount is reported to the host exactly once, as an app or as a description of what went wrong.
;(host, lib) => {
  'use strict'
  const P = lib.primordials
  const { mounted, mountFailed, commonJsFunction, resolveModule } = host

  /** The API is complete: what fetch handlers get as `env` is known. */
  lib.entries.ready = () => {
    lib.env = lib.uwsgi.opt
  }

  const isFetchObject = (value) =>
    (typeof value === 'object' || typeof value === 'function') && value !== null && typeof value.fetch === 'function'

  // `export default { fetch }` or a default function; `export const app` is JSGI; a callable named by the configuration is
  // taken as a fetch handler, unless its name is `app`.
  const register = (id, exports, callable) => {
    const names = P.ObjectKeys(exports)
    const found = names.length === 0 ? 'it exports nothing' : `it exports ${P.ArrayJoin(names, ', ')}`
    const isJsgi = callable === 'app' || (callable === undefined && exports.default === undefined)
    const handler = exports[callable ?? (isJsgi ? 'app' : 'default')]
    if (isFetchObject(handler)) mounted(id, 0, lib.addFetchApp(handler, undefined))
    else if (typeof handler === 'function')
      mounted(id, isJsgi ? 1 : 0, isJsgi ? lib.addJsgiApp(handler) : lib.addFetchApp(undefined, handler))
    else if (callable !== undefined) mountFailed(id, `its export ${callable} handles no requests: ${found}`)
    else mountFailed(id, `no handler: export default { fetch }, export default a function, or export const app (JSGI); ${found}`)
  }

  // ---- CommonJS

  const cache = new P.Map()
  const requireFrom = (base) => (name) => {
    const specifier = `${name}`
    if (specifier === 'uwsgi') return lib.uwsgi
    if (lib.builtIns[specifier] !== undefined) return lib.builtIns[specifier]
    return runCommonJs(resolveModule(specifier, base)).exports
  }
  const runCommonJs = (path) => {
    const known = P.MapGet(cache, path)
    if (known !== undefined) return known
    const module = { exports: {}, id: path, filename: path }
    P.MapSet(cache, path, module)
    try {
      const run = commonJsFunction(path)
      if (typeof run === 'function') P.apply(run, module.exports, [module.exports, module, requireFrom(path)])
      else module.exports = run
    } catch (error) {
      P.MapDelete(cache, path)
      throw error
    }
    return module
  }

  lib.entries.mountScript = (id, path, callable) => {
    try {
      const { exports } = runCommonJs(path)
      if (typeof exports === 'function' || isFetchObject(exports)) register(id, { __proto__: null, default: exports }, callable)
      else register(id, exports, callable)
    } catch (error) {
      mountFailed(id, lib.describe(error))
    }
  }

  lib.entries.mountModule = (id, path, callable) => {
    P.PromiseThen(
      import(path),
      (exports) => {
        try {
          register(id, exports, callable)
        } catch (error) {
          mountFailed(id, lib.describe(error))
        }
      },
      (error) => mountFailed(id, lib.describe(error)),
    )
  }

  // ---- a mule's program: what its default export is, if a function, is run once it is loaded

  const runMain = (main) => (typeof main === 'function' ? main() : undefined)

  lib.entries.runScript = (path) => P.PromiseResolve(runMain(runCommonJs(path).exports))

  lib.entries.runModule = (path) => P.PromiseThen(import(path), (exports) => runMain(exports.default))

  lib.entries.importNow = (path) => {
    P.PromiseThen(import(path), undefined, (error) => lib.reportError(`cannot load ${path}`, error))
  }
}
