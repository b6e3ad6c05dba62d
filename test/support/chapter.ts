// A chapter of the tutorial as data: the files it shows, and the commands it gives with what they print.
// Invariant: what is not understood is an error, so that no block is left out of the test unseen.

export interface ShownFile {
  /** From the root of the repository. */
  readonly path: string
  readonly text: string
}

export interface Step {
  readonly command: string
  /** The lines that are shown under it. */
  readonly output: readonly string[]
}

export interface Chapter {
  readonly title: string
  readonly files: readonly ShownFile[]
  readonly steps: readonly Step[]
}

const languages: readonly string[] = ['ts', 'js', 'lua', 'python', 'json', 'ini', 'html', 'text', 'forth']

/** @throws Error for a block that is neither a file, nor a console's, nor plain text */
export const parseChapter = (markdown: string): Chapter => {
  const [, title] = /^# (.+)\n/.exec(markdown) ?? []
  if (title === undefined) throw new Error('a chapter begins with its title')
  const files: ShownFile[] = []
  const steps: Step[] = []
  for (const [, info, text] of markdown.matchAll(/^```([^\n]*)\n(.*?)^```$/gms)) {
    const [language = '', ...attributes] = (info as string).split(' ')
    const [, path] = /^file=(\S+)$/.exec(attributes.join(' ')) ?? []
    if (path !== undefined && languages.includes(language)) files.push({ path, text: text as string })
    else if (info === 'console') steps.push(...stepsOf(text as string))
    else if (info !== 'text') throw new Error(`a block is marked '${info}': neither a file, nor console, nor text`)
  }
  return { title, files, steps }
}

const stepsOf = (text: string): Step[] => {
  const steps: { command: string; output: string[] }[] = []
  let isContinued = false
  for (const line of text.trimEnd().split('\n')) {
    const last = steps.at(-1)
    if (isContinued && last !== undefined) last.command += `\n${line}`
    else if (line.startsWith('$ ')) steps.push({ command: line.slice(2), output: [] })
    else if (last === undefined) throw new Error(`a console begins with a command, not with '${line}'`)
    else last.output.push(line)
    isContinued = steps.at(-1)?.command.endsWith('\\') === true && steps.at(-1)?.output.length === 0
  }
  return steps
}
