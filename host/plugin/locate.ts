// From what an operator writes after `--plugin` to where the plugin lies: the one place that knows what a name may be.

import { existsSync, realpathSync, statSync } from 'node:fs'
import { createRequire, isBuiltin, registerHooks } from 'node:module'
import { isAbsolute, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { PolywsgiError } from '../errors.ts'

export interface LocatedPlugin {
  readonly url: string
  /** `0:name`: the packets it is to serve instead of its own. */
  readonly modifier1?: number
}

/**
 * uWSGI's plugins whose work polywsgi does by itself: configurations written for uWSGI name them (`plugins = python3,http`),
 * and there is nothing to load. They come before npm packages: many a project has one named `http` or `cache`.
 */
const builtIn = /^(?:python3?(?:\d+)?|lua(?:5?\d|jit)?|v8|js|http|https|rpc|signal|cache|ping|echo|spooler|corerouter|sslrouter)$/

const pathExtension = /\.(?:mjs|js|ts|lua|py)$/

/**
 * @param text `[modifier1:]name`. A name with a slash or with an extension of a plugin's file is a path; any other is that of
 *   `NAME_plugin.mjs` in one of the directories or in the working directory, else of one of uWSGI's plugins that are built in,
 *   else of an npm package that the working directory sees. A scoped package has a slash, and an @ ahead.
 * @param directories where files of bare names are looked for, in this order
 * @returns undefined when the plugin is built in
 * @throws PolywsgiError PLUGIN_LOAD with the reason why there is none
 */
export const locatePlugin = (text: string, directories: readonly string[], cwd: string): LocatedPlugin | undefined => {
  const [, digits, name = ''] = /^(?:(\d+):)?(.*)$/s.exec(text) as RegExpExecArray
  if (digits !== undefined && Number(digits) > 255) throw refusal(`the modifier1 ${digits} is not a number from 0 to 255`)
  const slot = digits === undefined ? {} : { modifier1: Number(digits) }
  const isScoped = name.startsWith('@')
  if (isAbsolute(name) || (name.includes('/') && !isScoped) || pathExtension.test(name)) {
    return { url: urlOfFile(resolve(cwd, name)), ...slot }
  }
  const places = isScoped ? [] : [...directories, '.'].map((directory) => resolve(cwd, directory))
  const file = places.map((place) => join(place, `${name}_plugin.mjs`)).find((path) => existsSync(path))
  if (file !== undefined) return { url: urlOfFile(file), ...slot }
  if (builtIn.test(name)) return undefined
  const entry = resolvePackage(name, cwd)
  if (entry !== undefined) return { url: pathToFileURL(entry).href, ...slot }
  const noFile = isScoped ? '' : `there is no ${name}_plugin.mjs in ${[...new Set(places)].join(', ')}, and `
  throw refusal(`${noFile}no npm package '${name}' can be found from ${cwd}`)
}

const urlOfFile = (path: string): string => {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) throw refusal(`there is no file ${path}`)
  if (stat.isDirectory()) throw refusal(`${path} is a directory`)
  // As Node names a module that it has imported: one file under two names is one plugin.
  return pathToFileURL(realpathSync(path)).href
}

/** The file that `import 'name'` would load in the working directory; undefined when there is no such package. */
const resolvePackage = (name: string, cwd: string): string | undefined => {
  if (isBuiltin(name) || !/^(?:@[\w.~-]+\/)?[\w~-][\w.~-]*(?:\/|$)/.test(name)) return undefined
  // A require resolves for `require`; a package of modules may answer to `import` alone.
  const hooks = registerHooks({
    resolve: (specifier, context, next) => next(specifier, { ...context, conditions: ['node', 'import', 'module-sync'] }),
  })
  try {
    return createRequire(join(cwd, 'package.json')).resolve(name)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'MODULE_NOT_FOUND') return undefined
    throw refusal(message)
  } finally {
    hooks.deregister()
  }
}

const refusal = (reason: string): PolywsgiError => new PolywsgiError('PLUGIN_LOAD', reason)
