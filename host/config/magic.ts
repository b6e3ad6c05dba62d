// Magic variables: the single letters after `%` in the values of configuration files (uWSGI: "Configuration logic"), most
// of them parts of the file's own path.
import { basename, dirname, extname, resolve } from 'node:path'
import type { Surroundings } from './surroundings.ts'

/** From the character after `%` to its value. A letter that is not there stands for nothing. */
export type MagicVariables = ReadonlyMap<string, string>

export interface MagicSource {
  /** The file as it was named. */
  readonly original: string
  /** The section, empty for the default one. */
  readonly section: string
  readonly cwd: string
}

/** Every magic variable and its meaning, for the reference page. */
export const magicMeanings: ReadonlyArray<readonly [letters: string, meaning: string]> = [
  ['%d', 'directory of the file, with a slash at the end'],
  ['%n', 'name of the file without its extension'],
  ['%s', 'name of the file'],
  ['%e', 'extension of the file'],
  ['%p', 'absolute path of the file'],
  ['%o', 'the file as it was named'],
  ['%c', 'name of the directory of the file'],
  ['%0 ... %9', 'components of the path of the file, from the root'],
  ['%x', 'section, empty for the default one'],
  ['%i', 'inode of the file'],
  ['%j', 'DJB33X hash of the path of the file, in hexadecimal'],
  ['%D %N %S %E %P %O %C %X %I %J', 'the same for the first file that was read'],
  ['%v', 'working directory'],
  ['%h', 'host name'],
  ['%V', 'version of polywsgi'],
  ['%k', 'number of CPUs'],
  ['%t %T', 'time at start, in seconds and in microseconds since 1970'],
  ['%u %U', 'id and name of the user'],
  ['%g %G', 'id and name of the group'],
  ['%b', 'path of the program'],
  ['%[', 'the escape character'],
]

const pathLetters = ['d', 'n', 's', 'e', 'p', 'o', 'c', 'x', 'i', 'j'] as const

/** The variables of one file. `first` are those of the file read first, undefined for that file itself. */
export const magicVariables = (
  source: MagicSource,
  first: MagicVariables | undefined,
  surroundings: Surroundings,
): MagicVariables => {
  const path = resolve(source.cwd, source.original)
  const extension = extname(path)
  const directory = dirname(path)
  const micros = surroundings.nowMicros()
  const user = surroundings.user()
  const variables = new Map<string, string>([
    ['d', directory === '/' ? '/' : `${directory}/`],
    ['n', basename(path, extension)],
    ['s', basename(path)],
    ['e', extension.slice(1)],
    ['p', path],
    ['o', source.original],
    ['c', basename(directory)],
    ['x', source.section],
    ['i', surroundings.inode(path)],
    ['j', djb33x(path)],
    ['v', source.cwd],
    ['h', surroundings.hostname()],
    ['V', surroundings.version],
    ['k', String(surroundings.cpuCount())],
    ['t', String(micros / 1_000_000n)],
    ['T', String(micros)],
    ['u', String(user.uid)],
    ['U', user.name],
    ['g', String(user.gid)],
    ['G', user.group],
    ['b', surroundings.program],
    ['[', '\x1b'],
  ])
  const components = path.split('/').slice(1)
  for (let index = 0; index <= 9; index++) variables.set(String(index), components[index] ?? '')
  for (const letter of pathLetters)
    variables.set(letter.toUpperCase(), (first ?? variables).get(letter.toUpperCase()) ?? variables.get(letter)!)
  return variables
}

/** Bernstein's hash with xor, 32 bits, over the bytes of the text. */
const djb33x = (text: string): string => {
  let hash = 5381
  for (const byte of Buffer.from(text)) hash = (Math.imul(hash, 33) ^ byte) >>> 0
  return hash.toString(16)
}
