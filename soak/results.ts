// The outcomes of a run as a page of Markdown (RESULTS.md): one table for each part.
import type { Outcome, Part } from './part.ts'

export interface RunFacts {
  readonly seed: number
  readonly machine: string
  readonly date: string
}

export const renderResults = (outcomes: readonly (readonly [Part, Outcome])[], { seed, machine, date }: RunFacts): string => {
  const sections = outcomes.map(([{ name, purpose }, { facts, violations }]) => {
    const rows = facts.map(([fact, value]) => `| ${fact} | ${String(value).replaceAll('|', '\\|')} |`)
    const verdict = violations.length === 0 ? 'Passed.' : `Failed:\n\n${violations.map((line) => `- ${line}`).join('\n')}`
    return `## ${name}\n\n${purpose}.\n\n| figure | value |\n|---|---|\n${rows.join('\n')}\n\n${verdict}\n`
  })
  return `# Results of the soak\n\nWritten by \`npm run soak -- --results FILE\` on ${date}: ${machine}. Seed ${seed}.\n\n${sections.join('\n')}`
}
