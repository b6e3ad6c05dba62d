// The tutorial, followed to the letter: every file it shows is the file, every command is run in the real program, and prints
// what the chapter says.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { type Chapter, parseChapter } from '../support/chapter.ts'
import { expectedSteps, runChapter } from '../support/chapter-runner.ts'
import { describeWithPeers } from '../support/peers.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = join(root, 'docs/writing-plugins')
const pages = globSync('[0-9]*.md', { cwd: folder }).sort()
const textOf = (page: string): string => readFileSync(join(folder, page), 'utf8')
const chapters: readonly (readonly [page: string, chapter: Chapter])[] = pages.map((page) => [page, parseChapter(textOf(page))])

/** Forth is shown by its programs: its own source is a whole language. */
const isForthItself = (path: string): boolean => path.startsWith(join('examples', 'plugins', 'forth'))

describe('the tutorial', () => {
  it('lists its chapters in order, by their titles', () => {
    const listed = [...textOf('README.md').matchAll(/^\d+\. \[(.+?)\]\((\S+?)\)/gm)].map(([, title, page]) => ({ title, page }))
    expect(listed).toEqual(chapters.map(([page, { title }]) => ({ title, page })))
  })

  it('shows every example', () => {
    const shown = new Set(chapters.flatMap(([, { files }]) => files.map(({ path }) => path)))
    const examples = globSync('examples/plugins/**', { cwd: root, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
      .filter((path) => !isForthItself(path) && !/_plugin\.mjs$/.test(path))
    expect(examples.filter((path) => !shown.has(path))).toEqual([])
    expect(examples.length).toBeGreaterThan(0)
  })

  it.each(chapters)('%s has an example and a command', (_, { files, steps }) => {
    expect(files.length).toBeGreaterThan(0)
    expect(steps.length).toBeGreaterThan(0)
  })

  it.each(chapters.flatMap(([page, { files }]) => files.map((file) => [page, file.path, file.text] as const)))(
    '%s shows %s as it is, in at most 40 lines',
    (_, path, text) => {
      expect(text).toBe(readFileSync(join(root, path), 'utf8'))
      expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(40)
    },
  )
})

describeWithPeers('the commands of', ['curl'], () => {
  it.for(chapters)('%s print what it shows', async ([, chapter], { signal }) => {
    expect(await runChapter(chapter, signal)).toEqual(expectedSteps(chapter))
  })
})

describe('a chapter that is wrong', () => {
  const run = async (...lines: string[]): Promise<{ command: string; output: readonly string[] }[]> =>
    await runChapter(parseChapter(`# Title\n\n\`\`\`console\n${lines.join('\n')}\n\`\`\`\n`), new AbortController().signal)

  it('is told by what a command prints instead', async () => {
    expect(await run('$ echo one; echo two >&2', 'one', 'three')).toEqual([
      { command: 'echo one; echo two >&2', output: ['one', 'two'] },
    ])
  })

  it('is told by the whole log of a server that does not say so, or not in that order', async () => {
    const [step] = await run(
      '$ polywsgi --http-socket 127.0.0.1:8080',
      'goodbye to polywsgi.',
      'polywsgi ready (http://127.0.0.1:8080)',
    )
    expect(step?.output.join('\n')).toMatch(/polywsgi ready \(http:\/\/127\.0\.0\.1:8080\)\n(?:.*\n)*goodbye to polywsgi\.$/)
  })

  it('is told by a block that nothing is made of', () => {
    expect(() => parseChapter('# Title\n\n```ts\nlet x\n```\n')).toThrow("a block is marked 'ts'")
    expect(() => parseChapter('No title')).toThrow('begins with its title')
    expect(() => parseChapter('# Title\n\n```console\nready\n```\n')).toThrow("begins with a command, not with 'ready'")
  })
})
