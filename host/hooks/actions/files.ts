// Actions on files. A text is what stands after the first blank, as it stands there: quotes belong to it.
import { constants } from 'node:fs'
import { appendFile, chmod, chown, mkdir, readFile, stat, unlink, writeFile } from 'node:fs/promises'
import { type Action, ActionFailure, BadArgument, wholeOf, wordAndRest, wordsOf } from '../action.ts'

const writing = (write: (file: string, text: string) => Promise<void>, end: '' | '\n', help: string): Action => ({
  usage: 'FILE TEXT',
  help,
  prepare: (argument) => {
    const [file, text] = wordAndRest(argument, 'FILE TEXT')
    return () => write(file, text + end)
  },
})

const creating: Action = {
  usage: 'FILE',
  help: 'Make an empty file; one that is there is emptied.',
  prepare: (argument) => {
    const file = wholeOf(argument, 'FILE')
    return () => writeFile(file, '')
  },
}

/** The number of a user or group, from the system's own list. */
const idOf = async (list: '/etc/passwd' | '/etc/group', what: string, name: string): Promise<number> => {
  if (/^\d+$/.test(name)) return Number(name)
  const lines = (await readFile(list, 'utf8')).split('\n')
  const id = lines.map((line) => line.split(':')).find(([first]) => first === name)?.[2]
  if (id === undefined) throw new ActionFailure(`unable to find ${what} ${name}`)
  return Number(id)
}

export const fileActions = {
  mkdir: {
    usage: 'DIRECTORY',
    help: 'Make a directory. One that is there already is a failure.',
    prepare: (argument) => {
      const directory = wholeOf(argument, 'DIRECTORY')
      return () => mkdir(directory)
    },
  },
  create: creating,
  creat: creating,
  write: writing(writeFile, '', 'Write a text to a file, which is made or emptied before.'),
  writen: writing(writeFile, '\n', 'As write, with a line break after the text.'),
  append: writing(appendFile, '', 'Write a text to the end of a file, which is made if need be.'),
  appendn: writing(appendFile, '\n', 'As append, with a line break after the text.'),
  unlink: {
    usage: 'FILE',
    help: 'Remove a file. One that is not there is a failure.',
    prepare: (argument) => {
      const file = wholeOf(argument, 'FILE')
      return () => unlink(file)
    },
  },
  chmod: {
    usage: 'FILE MODE',
    help: 'Set the rights of a file, in octal digits.',
    prepare: (argument) => {
      const [file, mode] = wordsOf(argument, 'FILE MODE') as [string, string]
      if (!/^[0-7]{1,4}$/.test(mode)) throw new BadArgument(`'${mode}' is not a file mode: write octal digits, as in 660`)
      return () => chmod(file, Number.parseInt(mode, 8))
    },
  },
  chown: {
    usage: 'FILE USER GROUP',
    help: 'Set the owner of a file. Differs from uWSGI: numbers do as well as names, and names are those of /etc/passwd and /etc/group.',
    prepare: (argument) => {
      const [file, user, group] = wordsOf(argument, 'FILE USER GROUP') as [string, string, string]
      return async () => chown(file, await idOf('/etc/passwd', 'uid', user), await idOf('/etc/group', 'gid', group))
    },
  },
  chown2: {
    usage: 'FILE UID GID',
    help: 'Set the owner of a file, by numbers.',
    prepare: (argument) => {
      const [file, uid, gid] = wordsOf(argument, 'FILE UID GID') as [string, string, string]
      for (const id of [uid, gid]) if (!/^\d{1,10}$/.test(id)) throw new BadArgument(`'${id}' is not a number`)
      return () => chown(file, Number(uid), Number(gid))
    },
  },
  sticky: {
    usage: 'FILE',
    help: 'Set the sticky bit of a file or directory.',
    prepare: (argument) => {
      const file = wholeOf(argument, 'FILE')
      return async () => {
        const { mode } = await stat(file)
        await chmod(file, (mode & ~constants.S_IFMT) | stickyBit)
      }
    },
  },
} as const satisfies Record<string, Action>

const stickyBit = 0o1000
