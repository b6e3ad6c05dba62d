// A strict reader of Prometheus' text format 0.0.4: whatever the format does not allow is an error that names the line.

export interface Family {
  readonly type: string
  readonly help: string
  readonly samples: { readonly labels: Readonly<Record<string, string>>; readonly value: number }[]
}

const metricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/

/** @throws Error naming the line that is not as the format has it */
export const readPrometheus = (text: string): Map<string, Family> => {
  if (!text.endsWith('\n')) throw new Error('the last line does not end')
  const families = new Map<string, Family>()
  let help: { name: string; text: string } | undefined
  let current: string | undefined
  const seen = new Set<string>()
  for (const line of text.slice(0, -1).split('\n')) {
    const refuse = (why: string): never => {
      throw new Error(`${why}: ${line}`)
    }
    const comment = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line)
    if (comment !== null) {
      const [, kind, name = '', rest = ''] = comment
      if (!metricName.test(name)) refuse('a bad name')
      if (kind === 'HELP') {
        if (families.has(name)) refuse('a family in two places')
        if (/\\[^\\n]/.test(rest.replace(/\\\\/g, ''))) refuse('an unknown escape')
        help = { name, text: rest }
        continue
      }
      if (help?.name !== name) refuse('TYPE does not follow HELP')
      if (!['counter', 'gauge', 'histogram', 'summary', 'untyped'].includes(rest)) refuse('an unknown type')
      families.set(name, { type: rest, help: help!.text, samples: [] })
      current = name
      continue
    }
    const sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/.exec(line)
    if (sample === null) return refuse('no sample')
    const [, name = '', labelText, valueText = ''] = sample
    if (name !== current) refuse('a sample outside of its family')
    const value = Number(valueText)
    if (!/^[-+]?(?:\d+(?:\.\d+)?(?:e[-+]?\d+)?|Inf)$|^NaN$/i.test(valueText)) refuse('no number')
    const identity = `${name}{${labelText ?? ''}}`
    if (seen.has(identity)) refuse('twice the same labels')
    seen.add(identity)
    families.get(name)?.samples.push({ labels: readLabels(labelText ?? '', refuse), value })
  }
  for (const [name, { samples }] of families) if (samples.length === 0) throw new Error(`${name} has no samples`)
  return families
}

const readLabels = (text: string, refuse: (why: string) => never): Record<string, string> => {
  const labels: Record<string, string> = {}
  let rest = text
  while (rest !== '') {
    const pair = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,(?=.)|$)/.exec(rest)
    if (pair === null) return refuse('bad labels')
    const [whole, name = '', value = ''] = pair
    if (name in labels) refuse('a label twice')
    labels[name] = value.replace(/\\([\\"n])/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped))
    rest = rest.slice(whole.length)
  }
  return labels
}
