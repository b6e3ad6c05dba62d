// `polywsgi ctl`: reads its command line, asks the server, prints the answer. Exit codes: 0 done, 1 refused by the server,
// 2 a command line that cannot be understood, 3 no server.
import { parseArgs } from 'node:util'
import { commands, findCommand, usageOf } from './commands.ts'
import { type Answer, type Question, Refusal } from './lines.ts'
import { humanText } from './tables.ts'

export const CtlExit = { done: 0, refused: 1, usage: 2, noServer: 3 } as const

export const defaultSocket = 'polywsgi.ctl'

export interface CtlWorld {
  readonly env: Readonly<Record<string, string | undefined>>
  /** @throws Error saying why there is no server, or no answer */
  ask(socket: string, question: Question): Promise<Answer>
  out(bytes: Uint8Array): void
  complain(line: string): void
}

const usage = (): string => {
  const width = Math.max(...commands.map((command) => usageOf(command).length))
  return [
    'Usage: polywsgi ctl [--socket PATH] [--json] COMMAND',
    '',
    'Looks at and commands a server that was started with --ctl PATH.',
    '',
    ...commands.map((command) => `  ${usageOf(command).padEnd(width)}  ${command.help}`),
    '',
    `The socket is PATH, or that of the environment's POLYWSGI_CTL, or ./${defaultSocket}. With --json the answer is printed as`,
    'the server gave it. Exit code: 0 done, 1 refused, 2 not understood, 3 no server.',
  ].join('\n')
}

/** @returns the exit code */
export const runCtl = async (args: readonly string[], { env, ask, out, complain }: CtlWorld): Promise<number> => {
  let read: ReturnType<typeof readArgs>
  try {
    read = readArgs(args)
  } catch (error) {
    complain(`polywsgi ctl: ${(error as Error).message}`)
    complain("Try 'polywsgi ctl --help'.")
    return CtlExit.usage
  }
  if (read === 'help') {
    out(Buffer.from(`${usage()}\n`))
    return CtlExit.done
  }
  const { question, words, isJson } = read
  const socket = read.socket ?? (env['POLYWSGI_CTL'] || defaultSocket)
  let answer: Answer
  try {
    answer = await ask(socket, question)
  } catch (error) {
    complain(`polywsgi ctl: ${(error as Error).message}`)
    return CtlExit.noServer
  }
  if (!answer.ok) {
    complain(`polywsgi ctl: ${answer.error}`)
    return CtlExit.refused
  }
  out(isJson ? Buffer.from(`${JSON.stringify(answer.result)}\n`) : humanText(words, answer.result))
  return CtlExit.done
}

/** Everything that commands have beside --socket and --json is a text. */
const commandOptions = [...new Set(commands.flatMap(({ options = {} }) => Object.keys(options)))]

/** @throws Error for what is not understood */
const readArgs = (args: readonly string[]) => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h' },
      json: { type: 'boolean' },
      socket: { type: 'string' },
      ...Object.fromEntries(commandOptions.map((name) => [name, { type: 'string' as const }])),
    },
  })
  const { help, json, socket, ...options } = values as { help?: boolean; json?: boolean; socket?: string }
  if (help === true) return 'help'
  if (positionals.length === 0) throw new Refusal('there is no command')
  const question: Question = { command: positionals, options: options as Record<string, string> }
  const { command } = findCommand(question)
  return { question, words: command.words.join(' '), socket, isJson: json === true }
}
