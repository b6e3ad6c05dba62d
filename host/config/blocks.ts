// The blocks of configuration files: `if-env = X ... endif`, `for = a b c ... endfor`. A block is not an option: it decides
// how often the lines in it count, and what `%(_)` stands for in them.
import { resolve } from 'node:path'
import type { Expansion, ExpansionContext } from './expand.ts'
import { decodeText } from './faults.ts'

/** What a block looks at. `value` is expanded as far as the configuration is known at that place. */
export interface BlockContext extends ExpansionContext {
  readonly expansion: Expansion
}

interface Block {
  readonly help: string
  readonly end: 'endif' | 'endfor'
  /** The `%(_)` of each time the lines count; none: they are left out. */
  items(value: string, context: BlockContext): readonly string[]
}

// Under the names that configurations of uWSGI know them by.
const builtInPlugin = /^(python\d*|lua\d*|v8|js|http)$/
const mostTimes = 65_536

const condition = (help: string, matched: (value: string, context: BlockContext) => string | undefined): Block => ({
  help,
  end: 'endif',
  items: (value, context) => {
    const item = matched(value, context)
    return item === undefined ? [] : [item]
  },
})

const negated = (block: Block, help: string): Block => ({
  help,
  end: 'endif',
  items: (value, context) => (block.items(value, context).length === 0 ? [value] : []),
})

const splitOnce = (text: string): readonly [string, string | undefined] => {
  const equals = text.indexOf('=')
  return equals === -1 ? [text, undefined] : [text.slice(0, equals), text.slice(equals + 1)]
}

const ifEnv = condition('the environment has the variable, or has it with that value', (value, { env }) => {
  const [name, wanted] = splitOnce(value)
  const held = env[name]
  return wanted === undefined || held === wanted ? held : undefined
})

const ifOpt = condition('an option or name is set, or is set to that value', (value, { store, expansion }) => {
  const [name, wanted] = splitOnce(value)
  const held = store.named(name).map((directive) => {
    const text = expansion.value(directive)
    return text === true ? '1' : text
  })
  return wanted === undefined ? held[0] : held.find((text) => text === wanted)
})

const ifExists = condition('there is something at the path', (value, { cwd, surroundings }) =>
  surroundings.kindOf(resolve(cwd, value)) === undefined ? undefined : value,
)

const ifFile = condition('there is a file at the path', (value, { cwd, surroundings }) =>
  surroundings.kindOf(resolve(cwd, value)) === 'file' ? value : undefined,
)

const ifDir = condition('there is a directory at the path', (value, { cwd, surroundings }) =>
  surroundings.kindOf(resolve(cwd, value)) === 'directory' ? value : undefined,
)

const ifHostname = condition('the machine has this host name', (value, { surroundings }) =>
  surroundings.hostname() === value ? value : undefined,
)

const ifPlugin = condition(
  'the plugin is python, lua, js (v8) or http, or has been asked for before',
  (value, { store, expansion }) => {
    const asked = ['plugin', 'plugins', 'need-plugin', 'need-plugins'].flatMap((name) => store.named(name))
    const names = asked.flatMap((directive) => String(expansion.value(directive)).split(','))
    return builtInPlugin.test(value) || names.some((name) => name.trim() === value) ? value : undefined
  },
)

// The configuration is read once per process, so it is never read by a reload.
const ifReload = condition('the server is reloading, which is never so here', () => undefined)

const loop = (help: string, items: Block['items']): Block => ({ help, end: 'endfor', items })

const splitLines = (text: string): readonly string[] => text.split(/\r?\n/).filter((line) => line !== '')

/** Thrown by a block whose value cannot be used; the message has no place in it. */
export class BadBlock extends Error {}

export const blocks: Readonly<Record<string, Block>> = {
  'if-env': ifEnv,
  'if-not-env': negated(ifEnv, 'the environment does not have it'),
  'if-opt': ifOpt,
  'if-not-opt': negated(ifOpt, 'it is not set'),
  'if-exists': ifExists,
  'if-not-exists': negated(ifExists, 'there is nothing at the path'),
  'if-file': ifFile,
  'if-not-file': negated(ifFile, 'there is no file at the path'),
  'if-dir': ifDir,
  'if-not-dir': negated(ifDir, 'there is no directory at the path'),
  'if-hostname': ifHostname,
  'if-not-hostname': negated(ifHostname, 'the machine has another host name'),
  'if-plugin': ifPlugin,
  'if-not-plugin': negated(ifPlugin, 'the plugin is not there'),
  'if-reload': ifReload,
  'if-not-reload': negated(ifReload, 'the server is starting, which is always so here'),
  for: loop('each word of the value', (value) => value.split(/[ \t]+/).filter((word) => word !== '')),
  'for-times': loop('each number from 0 to the value, the value not included', (value) => {
    if (!/^\d{1,9}$/.test(value) || Number(value) > mostTimes) {
      throw new BadBlock(`'${value}' is not a whole number from 0 to ${mostTimes}`)
    }
    return Array.from({ length: Number(value) }, (_, index) => String(index))
  }),
  'for-glob': loop('each path that matches the pattern', (value, { surroundings, cwd }) => surroundings.glob(value, cwd)),
  'for-readline': loop('each line of the file', (value, { surroundings, cwd }) =>
    splitLines(decodeText(surroundings.readFile(resolve(cwd, value)))),
  ),
}

/** Other spellings of uWSGI for the same. */
export const blockAliases: Readonly<Record<string, string>> = {
  ifenv: 'if-env',
  ifexists: 'if-exists',
  ifplugin: 'if-plugin',
  ifdir: 'if-dir',
  'if-directory': 'if-dir',
  'end-if': 'endif',
  'end-for': 'endfor',
}

export const blockEnds: ReadonlySet<string> = new Set(['endif', 'endfor'])
