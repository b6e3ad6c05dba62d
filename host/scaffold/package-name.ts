// Names that a plugin can have as an npm package too: it is published under the name by which it is loaded.

import { isBuiltin } from 'node:module'

const longest = 100

/**
 * Why a text cannot be the name, to be put after it; undefined when it can.
 * @param taken names and aliases of the plugins that are always there
 */
export const faultOfPackageName = (name: string, taken: readonly string[]): string | undefined => {
  if (name === '') return 'is empty'
  if (name.length > longest) return `is longer than ${longest} characters`
  if (/[A-Z]/.test(name)) return 'has capital letters, which npm does not allow'
  if (!/^[a-z0-9][a-z0-9._-]*$/.test(name)) {
    return 'is not made of small letters, digits, dashes, dots and underscores, a letter or digit first'
  }
  if (isBuiltin(name) || ['node_modules', 'favicon.ico', 'polywsgi'].includes(name))
    return 'is a name that npm, Node or polywsgi has'
  if (taken.includes(name)) return 'is the name of a plugin that is always there'
  return undefined
}
