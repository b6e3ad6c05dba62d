// Files of the glue that run when something they define is first asked for: most programs never name most of the platform.
// Invariant: a file runs to its end once; a global that a program has replaced meanwhile stays replaced.
;(host, lib) => {
  'use strict'
  const P = lib.primordials

  const load = (file) => {
    if (file.state !== 'waiting') return
    file.state = 'loading'
    try {
      const run = host.loadGlue(file.index)
      const globals = run(host, lib) ?? {}
      const names = P.ObjectKeys(globals)
      for (let index = 0; index < names.length; index += 1) {
        const name = names[index]
        file.globals[name] = globals[name]
        const current = P.ObjectGetOwnPropertyDescriptor(globalThis, name)
        if (current?.get !== undefined && current.get === file.getters[name]) lib.global(name, globals[name])
      }
      file.state = 'loaded'
    } finally {
      // Out of stack or memory: the next who asks tries again.
      if (file.state === 'loading') file.state = 'waiting'
    }
  }

  const declareGlobal = (file, name) => {
    const get = () => {
      load(file)
      return file.globals[name]
    }
    file.getters[name] = get
    P.ObjectDefineProperty(globalThis, name, {
      __proto__: null,
      get,
      set: (value) => lib.global(name, value),
      enumerable: false,
      configurable: true,
    })
  }

  const declareMember = (file, name) => {
    P.ObjectDefineProperty(lib, name, {
      __proto__: null,
      get: () => {
        load(file)
        return lib[name]
      },
      set: (value) => {
        P.ObjectDefineProperty(lib, name, { __proto__: null, value, writable: true, enumerable: true, configurable: true })
      },
      enumerable: true,
      configurable: true,
    })
  }

  /** `names` of what file number `index` defines, joined by a space: globals, and `.member` for members of lib. */
  lib.entries.declareLazy = (index, names) => {
    const file = {
      __proto__: null,
      index,
      names: P.StringSplit(names, ' '),
      state: 'waiting',
      globals: { __proto__: null },
      getters: { __proto__: null },
    }
    for (let at = 0; at < file.names.length; at += 1) {
      const name = file.names[at]
      if (name[0] === '.') declareMember(file, P.StringSlice(name, 1))
      else declareGlobal(file, name)
    }
  }

  // The host asks for these before it knows whether anything has gone wrong.
  lib.entries.describe = (thrown) => lib.describe(thrown)
  lib.entries.inspect = (value) => lib.inspectNested(value)
}
