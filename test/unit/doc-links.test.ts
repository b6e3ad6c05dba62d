// The pages that are read on their own: what they link to is there.
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const pages = globSync(['*.md', 'docs/**/*.md', 'bench/*.md'], { cwd: root })

/** The relative links of a page, without their places within the other. */
const linksOf = (text: string): string[] =>
  [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link as string).filter((link) => !/^(?:[a-z]+:|#)/.test(link))

/** As GitHub makes them of headings. */
const placesOf = (path: string): string[] =>
  [...readFileSync(path, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    (heading as string)
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )

describe('the documentation', () => {
  it.each(pages)('%s links only to what is there', (page) => {
    const dead = linksOf(readFileSync(join(root, page), 'utf8')).filter((link) => {
      const [path = '', place] = link.split('#')
      const target = join(root, dirname(page), path)
      if (!existsSync(target)) return true
      return place !== undefined && !placesOf(target).includes(place.toLowerCase())
    })
    expect(dead).toEqual([])
  })

  it('is there', () => {
    expect(pages).toEqual(expect.arrayContaining(['README.md', 'CONTRIBUTING.md', join('docs', 'architecture.md')]))
  })
})
