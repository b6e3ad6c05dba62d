// Versions of npm packages as uwsgiplugin.json asks for them: the forms that people write, by npm's rules. Whatever else npm
// knows (`1.x`, `a || b`, tags, URLs) is refused rather than guessed.

interface Version {
  readonly numbers: readonly [major: number, minor: number, patch: number]
  /** `rc.1` of `1.0.0-rc.1`; '' for a release. */
  readonly prerelease: string
}

const form = /^(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/

const parseVersion = (text: string): Version | undefined => {
  const match = form.exec(text)
  if (match === null) return undefined
  return { numbers: [Number(match[1]), Number(match[2]), Number(match[3])], prerelease: match[4] ?? '' }
}

const parseRange = (range: string): { operator: '' | '^' | '~' | '>='; version: Version } | undefined => {
  const operator = /^(?:\^|~|>=)?/.exec(range)![0] as '' | '^' | '~' | '>='
  const version = parseVersion(range.slice(operator.length).trim())
  return version && { operator, version }
}

/** Why a text is no range of versions, to be put after it; undefined when it is one. */
export const faultOfVersionRange = (range: string): string | undefined =>
  range === '*' || parseRange(range) !== undefined ? undefined : 'is not a version such as 1.2.3, ^1.2.3, ~1.2.3, >=1.2.3 or *'

/** Whether an installed version is one that a well-formed range asks for. A prerelease only satisfies a range that names it. */
export const satisfies = (installed: string, range: string): boolean => {
  const have = parseVersion(installed)
  if (have === undefined) return false
  if (range === '*') return have.prerelease === ''
  const wanted = parseRange(range)
  if (wanted === undefined) return false
  const { operator, version } = wanted
  const order = compare(have.numbers, version.numbers)
  if (have.prerelease !== '' || version.prerelease !== '') {
    // Prereleases of one version are not ordered here: the very one that is named, or for a range a release after it.
    if (have.prerelease === version.prerelease && order === 0) return true
    if (have.prerelease !== '' || operator === '') return false
  }
  if (operator === '') return order === 0
  if (order < 0) return false
  if (operator === '>=') return true
  // The caret keeps the first number that is not 0, the tilde the first two.
  const [major, minor] = version.numbers
  const kept = operator === '~' ? 2 : major > 0 ? 1 : minor > 0 ? 2 : 3
  return version.numbers.slice(0, kept).every((number, index) => have.numbers[index] === number)
}

const compare = (one: readonly number[], other: readonly number[]): number => {
  for (const [index, number] of one.entries()) {
    const difference = number - other[index]!
    if (difference !== 0) return difference
  }
  return 0
}
