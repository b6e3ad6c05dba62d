// From what an operator writes after `--plugin` to a module's URL.

import { existsSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { PolywsgiError } from '../errors.ts'

/**
 * uWSGI's plugins whose work polywsgi does by itself: configurations written for uWSGI name them (`plugins = python3,http`),
 * and there is nothing to load.
 */
const builtIn = /^(?:python3?(?:\d+)?|lua(?:5?\d|jit)?|v8|js|http|https|rpc|signal|cache|ping|echo|spooler|corerouter|sslrouter)$/

/**
 * @param text a path (with a slash, or ending in .mjs, .js or .ts), or the name of one of uWSGI's plugins that is built in;
 *   before either a modifier1 and a colon may stand, as in `0:python3`
 * @returns the URL of the module to load, or undefined when it is there already
 * @throws PolywsgiError PLUGIN_LOAD for a missing file or an unknown name
 */
export const locatePlugin = (text: string, cwd: string): string | undefined => {
  const name = text.replace(/^\d+:/, '')
  if (builtIn.test(name)) return undefined
  if (!isAbsolute(name) && !name.includes('/') && !/\.(?:mjs|js|ts)$/.test(name)) {
    throw new PolywsgiError(
      'PLUGIN_LOAD',
      `unable to load plugin '${text}': no plugin of that name is built in, and a file is given by its path`,
    )
  }
  const path = resolve(cwd, name)
  if (!existsSync(path)) throw new PolywsgiError('PLUGIN_LOAD', `unable to load plugin '${text}': there is no file ${path}`)
  return pathToFileURL(path).href
}
