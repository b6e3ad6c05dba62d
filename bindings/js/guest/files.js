// The modules `uwsgi/fs` and `uwsgi/env`: files and environment as far as the operator has allowed them. Everything is
// synchronous, as the host's functions are; bytes are UwsgiBytes, whose text form is their UTF-8 decoding.
;(host, lib) => {
  'use strict'
  const P = lib.primordials
  const { appendFile, environment, listFiles, makeDirectory, readFile, removeFile, renameFile, statFile, writeFile } = host
  const { TypeError, Date } = globalThis

  const pathOf = (value, name) => {
    if (typeof value !== 'string') throw new TypeError(`fs.${name}(): a path must be a string`)
    return value
  }
  const countOf = (value, name, what) => {
    if (!P.NumberIsInteger(value) || value < 0) throw new TypeError(`fs.${name}(): ${what} must be a whole number, not below 0`)
    return value
  }
  const bytesOf = (value, name) => {
    if (typeof value === 'string') return lib.utf8(value)
    const view = lib.bytes.viewOf(value)
    if (view === undefined) throw new TypeError(`fs.${name}(): the data must be a string or bytes`)
    return view
  }

  const fs = {
    __proto__: null,
    readFile(path, offset = 0, length = undefined) {
      const end = length === undefined ? -1 : countOf(length, 'readFile', 'the length')
      return lib.toUwsgiBytes(readFile(pathOf(path, 'readFile'), countOf(offset, 'readFile', 'the offset'), end))
    },
    writeFile(path, data) {
      writeFile(pathOf(path, 'writeFile'), bytesOf(data, 'writeFile'))
    },
    appendFile(path, data) {
      appendFile(pathOf(path, 'appendFile'), bytesOf(data, 'appendFile'))
    },
    stat(path) {
      const found = statFile(pathOf(path, 'stat'))
      return { type: found[0], size: found[1], modified: new Date(found[2]) }
    },
    readdir(path) {
      return listFiles(pathOf(path, 'readdir'))
    },
    mkdir(path) {
      makeDirectory(pathOf(path, 'mkdir'))
    },
    remove(path) {
      removeFile(pathOf(path, 'remove'))
    },
    rename(from, to) {
      renameFile(pathOf(from, 'rename'), pathOf(to, 'rename'))
    },
  }
  P.ObjectFreeze(fs)

  const env = { __proto__: null }
  const pairs = environment()
  for (let index = 0; index < pairs.length; index += 2) env[pairs[index]] = pairs[index + 1]
  P.ObjectFreeze(env)

  lib.builtIns = { __proto__: null, 'uwsgi/fs': fs, 'uwsgi/env': env }

  // For as long as their modules are evaluated, the only time at which these read a global.
  lib.entries.showBuiltIns = () => lib.global('polywsgiBuiltIns', lib.builtIns)
  lib.entries.hideBuiltIns = () => {
    delete globalThis.polywsgiBuiltIns
  }
}
