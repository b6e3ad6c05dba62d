// `npm run soak`: runs the parts that are asked for, one after the other, and ends with exit code 1 when one of them saw what
// must not be. Every part drives the built program, from its command line.
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { fuzz } from './fuzz.ts'
import { kill } from './kill.ts'
import { mixed } from './mixed.ts'
import { parsers } from './parsers.ts'
import type { Outcome, Part } from './part.ts'
import { reload } from './reload.ts'
import { renderResults } from './results.ts'
import { runaways } from './runaways.ts'
import { slowloris } from './slowloris.ts'

const parts: readonly Part[] = [parsers, fuzz, slowloris, kill, reload, runaways, mixed]

const usage = `npm run soak -- [--only PART,...] [--seconds N] [--count N] [--seed N] [--harakiri-grace N] [--results FILE]

${parts.map(({ name, purpose }) => `  ${name.padEnd(10)} ${purpose}`).join('\n')}

--seconds and --count hold for parts that go by time or by number, the seed for all. --results writes a table.
`

const whole = (name: string, text: string | undefined): number | undefined => {
  if (text === undefined) return undefined
  const number = Number(text)
  if (text.trim() === '' || !Number.isFinite(number) || number < 0) throw new Error(`--${name} is a number, not '${text}'`)
  return number
}

const main = async (): Promise<number> => {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    options: {
      only: text,
      seconds: text,
      count: text,
      seed: text,
      'harakiri-grace': text,
      results: text,
      help: { type: 'boolean' },
    },
  })
  if (values.help) {
    process.stdout.write(usage)
    return 0
  }
  const names = values.only?.split(',') ?? parts.map(({ name }) => name)
  const chosen = names.map((name) => {
    const part = parts.find((candidate) => candidate.name === name)
    if (part === undefined) throw new Error(`there is no part '${name}': ${parts.map((known) => known.name).join(', ')}`)
    return part
  })
  const seed = whole('seed', values.seed) ?? Math.floor(Math.random() * 2 ** 31)
  process.stdout.write(`seed ${seed}\n`)
  const outcomes: [Part, Outcome][] = []
  for (const part of chosen) {
    process.stdout.write(`\n${part.name}: ${part.purpose}\n`)
    const say = (line: string): void => void process.stdout.write(`  ${line}\n`)
    const seconds = whole('seconds', values.seconds)
    const count = whole('count', values.count)
    const outcome = await part
      .run({ seed, seconds, count, harakiriGrace: whole('harakiri-grace', values['harakiri-grace']), say })
      .catch((error: Error): Outcome => ({ facts: [], violations: [`the part failed: ${error.stack}`] }))
    for (const [name, value] of outcome.facts) say(`${name}: ${value}`)
    for (const violation of outcome.violations) say(`VIOLATION: ${violation}`)
    say(outcome.violations.length === 0 ? 'passed' : 'FAILED')
    outcomes.push([part, outcome])
  }
  if (values.results !== undefined) {
    const machine = `${cpus().length} cores (${cpus()[0]?.model}), Node.js ${process.versions.node}`
    writeFileSync(values.results, renderResults(outcomes, { seed, machine, date: new Date().toISOString().slice(0, 10) }))
  }
  return outcomes.every(([, { violations }]) => violations.length === 0) ? 0 : 1
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`soak: ${(error as Error).message}\n`)
  process.exitCode = 2
}
