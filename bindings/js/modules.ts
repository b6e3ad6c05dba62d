// The module loader: the only way for guest code to get at a file. Invariant: what is read lies, after all links are
// followed, in the directory of the app that asks for it or in a directory that the operator named.
import { readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname, extname, resolve, sep } from 'node:path'
import type { GuestFiles } from '../../host/api/guest-access.ts'
import type { Converter } from './convert.ts'
import type { Engine, Pointer, RawFunction } from './engine.ts'
import { GuestThrow } from './errors.ts'
import { wantText } from './host-text.ts'

/** Name of the module that is the API; it is evaluated at start-up and found by its name from then on. */
export const apiModuleName = 'uwsgi'

// A refused import gets a name of its own, at whose loading the refusal is thrown: the step that makes names has no way
// to fail. No path begins with this.
const refusedPrefix = '\x01'

const isInside = (path: string, directory: string): boolean =>
  path === directory || path.startsWith(directory.endsWith(sep) ? directory : directory + sep)

const realPathOf = (path: string): string | undefined => {
  try {
    const real = realpathSync(path)
    return statSync(real).isFile() ? real : undefined
  } catch {
    return undefined
  }
}

export class ModuleLoader {
  readonly #engine: Engine
  readonly #converter: Converter
  readonly #files: GuestFiles
  readonly #sharedDirectories: readonly string[]
  readonly #appDirectories = new Set<string>()
  /** Sources of modules that are no files, by name. */
  readonly #virtual = new Map<string, string>()
  /** The file being mounted: the one path the glue itself may import. */
  #rootPath = ''

  /** @param files those that guests may read: the directories of apps are added to them */
  constructor(engine: Engine, converter: Converter, sharedDirectories: readonly string[], files: GuestFiles) {
    this.#files = files
    for (const directory of sharedDirectories) files.show(resolve(directory))
    this.#engine = engine
    this.#converter = converter
    this.#sharedDirectories = sharedDirectories.flatMap((directory) => {
      try {
        return [realpathSync(directory)]
      } catch {
        return []
      }
    })
    engine.normalizeModule = (base, name) => engine.cString(this.#nameOf(base, name))
    engine.loadModule = (name) => engine.cString(this.#sourceOf(name))
    engine.ffi._QTS_RuntimeEnableModuleLoader(engine.runtime, 1)
  }

  /** Adds a module that is no file. The glue may import it. */
  addVirtual(name: string, source: string): void {
    this.#virtual.set(name, source)
  }

  /**
   * Makes an app's directory readable to it and its modules, and the app importable by the glue.
   * @returns the file's real path, undefined when there is no such file
   */
  openApp(source: string): string | undefined {
    const path = realPathOf(source)
    if (path === undefined) return undefined
    this.#appDirectories.add(dirname(path))
    this.#files.show(dirname(resolve(source)))
    this.#files.show(dirname(path))
    this.#rootPath = path
    return path
  }

  #nameOf(base: string, specifier: string): string {
    if (this.#virtual.has(specifier)) return specifier
    if (base.startsWith('polywsgi:')) return specifier === this.#rootPath ? specifier : `${refusedPrefix}not a mounted app`
    try {
      return this.#resolve(specifier, base, [''])
    } catch (error) {
      return refusedPrefix + (error instanceof Error ? error.message : String(error))
    }
  }

  #resolve(specifier: string, base: string, endings: readonly string[]): string {
    const from = `${JSON.stringify(specifier.slice(0, 200))} from ${base}`
    if (!/^(?:\.{0,2}\/|\.{1,2}$)/.test(specifier)) {
      const advice = specifier.startsWith('node:')
        ? 'the modules of Node.js are not available to guests'
        : "only 'uwsgi', 'uwsgi/fs', 'uwsgi/env' and paths ('./name.js') can be imported"
      throw new GuestThrow('Error', `cannot import ${from}: ${advice}`)
    }
    if (specifier.includes('\0')) throw new GuestThrow('Error', `cannot import ${from}: no such file`)
    const allowed = [...[...this.#appDirectories].filter((directory) => isInside(base, directory)), ...this.#sharedDirectories]
    const wanted = resolve(dirname(base), specifier)
    for (const ending of endings) {
      const path = realPathOf(wanted + ending)
      if (path === undefined) continue
      if (!allowed.some((directory) => isInside(path, directory))) {
        throw new GuestThrow('Error', `cannot import ${from}: it is outside the app's directory`)
      }
      return path
    }
    // The same answer for what is not there and what may not be seen would be wrong advice for most; a path outside is
    // refused before it is looked at.
    if (!allowed.some((directory) => isInside(wanted, directory))) {
      throw new GuestThrow('Error', `cannot import ${from}: it is outside the app's directory`)
    }
    throw new GuestThrow('Error', `cannot import ${from}: no such file`)
  }

  #sourceOf(name: string): string {
    if (name.startsWith(refusedPrefix)) throw new GuestThrow('Error', name.slice(refusedPrefix.length))
    const virtual = this.#virtual.get(name)
    if (virtual !== undefined) return virtual
    const text = this.#read(name)
    return extname(name) === '.json' ? `export default JSON.parse(${jsonLiteral(name, text)})` : text
  }

  #read(path: string): string {
    let text: string
    try {
      text = readFileSync(path, 'utf8')
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? 'unknown error'
      throw new GuestThrow('Error', `cannot read ${path}: ${code}`)
    }
    if (text.includes('\0')) throw new GuestThrow('Error', `cannot load ${path}: it holds a NUL character, it is no text`)
    return text.startsWith('\ufeff') ? text.slice(1) : text
  }

  /**
   * Real uWSGI's JavaScript apps are scripts that set `exports.app`. A file is taken for one when it is named .cjs, or
   * names `exports` or `module` and is valid as a script, which what has imports or exports of its own is not.
   */
  isCommonJs(path: string): boolean {
    const extension = extname(path)
    if (extension !== '.js') return extension === '.cjs'
    try {
      if (!/\b(?:exports|module)\b/.test(this.#read(path))) return false
      const script = this.#engine.evaluate(this.#commonJsSource(path), path, false)
      const isScript = !this.#engine.isException(script)
      this.#engine.free(isScript ? script : this.#engine.takeException(script))
      return isScript
    } catch (error) {
      // What cannot be read as a module either is reported by loading it.
      if (error instanceof GuestThrow) return false
      throw error
    }
  }

  /** Source of a CommonJS file as a function of `exports`, `module` and `require`, on the lines it has in the file. */
  #commonJsSource(path: string): string {
    const text = this.#read(path)
    return extname(path) === '.json'
      ? `JSON.parse(${jsonLiteral(path, text)})`
      : `(function (exports, module, require) {${text.replace(/^#!/, '//')}\n})`
  }

  functions(): Record<string, RawFunction> {
    const text = (argv: Pointer, index: number): string => wantText(this.#converter.text(argv + index * 8))
    return {
      /** CommonJS leaves out endings and the name `index.js`. */
      resolveModule: (_argc, argv) =>
        this.#converter.newText(this.#resolve(text(argv, 0), text(argv, 1), ['', '.js', '.json', '/index.js'])),
      commonJsFunction: (_argc, argv) => {
        const path = text(argv, 0)
        return this.#engine.evaluate(this.#commonJsSource(path), path, false)
      },
    }
  }
}

const jsonLiteral = (path: string, text: string): string => {
  try {
    JSON.parse(text)
  } catch (error) {
    throw new GuestThrow('Error', `cannot load ${path}: ${error instanceof Error ? error.message : 'no JSON'}`)
  }
  return JSON.stringify(text)
}
