// What a plugin may be called: the name is part of a file's name and of `--plugin A,B`, and `0:NAME` is a plugin with a
// modifier1 before it.

const form = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/
const longest = 100

/** Why a text is no plugin's name, to be put after it; undefined when it is one. */
export const faultOfPluginName = (name: string): string | undefined => {
  if (name === '') return 'is empty'
  if (name.length > longest) return `is longer than ${longest} characters`
  if (!form.test(name)) return 'is not made of letters, digits, dashes, dots and underscores, a letter, digit or underscore first'
  return undefined
}

/** The file that a plugin of this name is built into. */
export const builtFileName = (name: string): string => `${name}_plugin.mjs`
