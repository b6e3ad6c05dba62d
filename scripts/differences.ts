// Renders docs/differences.md: every departure from uWSGI, gathered from the marks "Differs from uWSGI:" that stand where
// each is made, in the tables and in the source.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { apiGroups } from '../host/api/kinds.ts'
import { apiTable } from '../host/api/table/index.ts'
import { options } from '../host/config/options/index.ts'
import { actions } from '../host/hooks/actions/index.ts'

const mark = 'Differs from uWSGI'

interface Difference {
  readonly what: string
  readonly text: string
}

export const renderDifferences = (root: string): string => {
  const api = apiTable.flatMap((entry) => differencesIn(entry.doc).map((text) => ({ ...entry, text })))
  const groups = Object.entries(apiGroups).map(([group, title]) => {
    const rows = api
      .filter((entry) => entry.group === group)
      .map(({ name, text }) => ({ what: `[\`${name}\`](reference/${group}.md#${name})`, text }))
    return section(`The uwsgi module: ${title}`, rows)
  })
  const configuration = options.flatMap(({ name, help }) => differencesIn(help).map((text) => ({ what: `\`${name}\``, text })))
  const hookActions = [...actions].flatMap(([name, { help }]) =>
    differencesIn(help).map((text) => ({ what: `[\`${name}\`](hooks.md)`, text })),
  )
  const sources = sourceFiles(root).flatMap((path) =>
    commentsOf(readFileSync(join(root, path), 'utf8'), path)
      .flatMap(differencesIn)
      .map((text) => ({ what: `[${path}](../${path})`, text })),
  )
  return `# Differences from uWSGI

Where polywsgi does something else than uWSGI 2.0 on purpose, and what. Everything else that both have is meant to be the same, and a
test runs the same programs under both. Generated from the marks in the source by \`npm run gen\`; do not edit.

${[...groups, section('Options', configuration), section('Actions of hooks', hookActions), section('Behaviour', sources)].filter((text) => text !== '').join('\n')}`
}

const section = (title: string, rows: readonly Difference[]): string =>
  rows.length === 0
    ? ''
    : `## ${title}\n\n| where | polywsgi |\n|---|---|\n${rows.map(({ what, text }) => `| ${what} | ${text.replaceAll('|', '\\|')} |`).join('\n')}\n`

/**
 * What is said at each mark: the sentence before it, which it is about, and what follows up to the next mark or the end of
 * its paragraph.
 */
export const differencesIn = (text: string): string[] =>
  text.split(/\n\s*\n|(?=@(?:param|throws|returns)\b)/).flatMap((paragraph) => {
    const [before = '', ...marked] = paragraph.replaceAll(/\s+/g, ' ').split(new RegExp(`\\(?${mark}(?:: |, which |, )`))
    const subject = (
      before
        .trim()
        .split(/(?<=[.:]) (?=[A-Z`])/)
        .at(-1) ?? ''
    ).trim()
    // Without a subject the mark stays as well: "it" and "that" in what follows are uWSGI.
    return marked.map((said, index) => `${index === 0 && subject !== '' ? `${subject} ` : ''}${mark}: ${balanced(said.trim())}`)
  })

/** Without the parenthesis that closed before the mark's own text began, and with a full stop. */
const balanced = (text: string): string => {
  const opened = text.split('(').length
  const closed = text.split(')').length
  return (closed > opened ? text.replace(/\)(?=\.?$)/, '') : text).replace(/\.?$/, '.')
}

/** The tables speak for themselves above. */
const sourceFiles = (root: string): string[] =>
  globSync('{protocol,host,bindings}/**/*.{ts,js,lua,py}', { cwd: root })
    .filter((path) => !/^host\/api\/(?:table|render)\/|^host\/config\/options\/|^host\/config\/option\.ts|\/types\//.test(path))
    .filter((path) => !path.endsWith('-doc-text.ts'))
    .sort()

const scriptComment = /^\s*(?:\/\/+|\/\*\*?|\*\/?)(.*?)(?:\*\/)?\s*$/

/** Each comment of a source as plain text: runs of line comments, and block comments. */
const commentsOf = (source: string, path: string): string[] => {
  const opening = path.endsWith('.py') ? /^\s*#(.*?)\s*$/ : path.endsWith('.lua') ? /^\s*--(.*?)\s*$/ : scriptComment
  const comments: string[] = []
  let open: string[] = []
  const close = (): void => {
    if (open.length > 0) comments.push(open.join('\n'))
    open = []
  }
  for (const line of source.split('\n')) {
    const comment = opening.exec(line)
    if (comment === null) close()
    else open.push((comment[1] as string).trim())
  }
  close()
  return comments
}
